import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { startNatsServer } from "@troupe/jetstream/server";
import { expect, test } from "vitest";
import { bankModule, TroupeProcess } from "../fixtures/troupe-process.ts";
import { shownCommandLine, withoutCredentials } from "./secrets.ts";

test.each([
  ["at nats://ann:s3cret@host:4222, tls://s3cret@b", "at nats://***@host:4222, tls://***@b"],
  ["file:///work/node_modules/@nats-io/core", "file:///work/node_modules/@nats-io/core"],
  ["https://host/@scope/name ann@example.com", "https://host/@scope/name ann@example.com"],
])("%s is shown as %s", (text, shown) => {
  expect(withoutCredentials(text)).toBe(shown);
});

test.each([
  ["tail --password s3cret --json", "tail --password *** --json"],
  ["tail --token=s3cret", "tail --token=***"],
  ["tail --server ann:s3@cret@host:1", "tail --server ***@host:1"],
  ["tail -s ann:s3@cret@host:1", "tail -s ***@host:1"],
  ["tail -sann:s3@cret@host:1", "tail -s***@host:1"],
  ["tail --server=nats://ann:s3/cret@host:1", "tail --server=nats://***@host:1"],
  ["tail --server nats://s3cret@a,nats://s3cret@b,c", "tail --server nats://***@a,nats://***@b,c"],
  ["ask customer/ann@example.com read", "ask customer/ann@example.com read"],
  ["tail --server nats://host:4222", "tail --server nats://host:4222"],
])("%s is listed as %s", (line, shown) => {
  expect(shownCommandLine(line.split(" "))).toBe(shown);
});

test("the list of processes shows no secret", async ({ skip }) => {
  skip(!existsSync("/proc/self/cmdline"), "there is no /proc on this system");
  await using server = await startNatsServer({
    extraConfig: ["authorization { user: ann, password: s3cret }"],
  });
  const inside = server.url.replace("//", "//ann:s3cret@");
  await using worker = new TroupeProcess(["work", bankModule, "--server", inside]);
  await worker.shows("holds");
  const listed = await readFile(`/proc/${worker.child.pid}/cmdline`, "utf8");
  expect(listed).toContain("troupe work");
  expect(listed + worker.stdout + worker.stderr).not.toContain("s3cret");
});
