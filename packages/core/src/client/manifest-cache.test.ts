/** Manifests are read once for many calls, and again when a call wants more than they say. */
import { expect, test, vi } from "vitest";

import { createMemoryBroker } from "@troupe/testing";

import { ManifestCache } from "./manifest-cache.ts";

const manifest = { type: "clerk", messages: ["note"], topics: [], events: [], version: "1" };

test("many calls at once read the manifest once", async () => {
  const log = createMemoryBroker().connect();
  await log.register(manifest);
  const read = vi.spyOn(log, "manifest");
  const cache = new ManifestCache(log);
  await Promise.all(Array.from({ length: 100 }, () => cache.require("clerk", "note")));
  expect(read).toHaveBeenCalledTimes(1);
  expect(cache.knows("clerk", "note")).toBe(true);
});

test("a message that was not there is looked for again", async () => {
  const log = createMemoryBroker().connect();
  await log.register(manifest);
  const cache = new ManifestCache(log);
  await expect(cache.require("clerk", "show")).rejects.toMatchObject({ code: "unknown-message" });
  await log.register({ ...manifest, messages: ["note", "show"] });
  await cache.require("clerk", "show");
  expect(cache.knows("clerk", "show")).toBe(true);
});

test("a read that fails is tried again by the next call", async () => {
  const log = createMemoryBroker().connect();
  await log.register(manifest);
  vi.spyOn(log, "manifest").mockRejectedValueOnce(new Error("cut off"));
  const cache = new ManifestCache(log);
  await expect(cache.require("clerk", "note")).rejects.toThrow("cut off");
  await cache.require("clerk", "note");
});
