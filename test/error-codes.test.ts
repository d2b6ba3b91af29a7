/** The page of error codes is what the sources say, and no two errors share a code. */
import { readFile } from "node:fs/promises";

import { expect, it } from "vitest";

import { errorPage } from "../scripts/error-codes.ts";

it("lists every error with its code, as the sources declare them", async () => {
  const page = await readFile(new URL("../docs/reference/errors.md", import.meta.url), "utf8");
  expect(page).toBe(errorPage());
  expect(page).toContain("| `call-cycle` | [CallCycleError]");
});

it("has one error per code", () => {
  const codes = [...errorPage().matchAll(/^\| `([\w-]+)`/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(20);
  expect(new Set(codes).size).toBe(codes.length);
});
