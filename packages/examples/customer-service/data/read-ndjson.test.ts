import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { readNdjson } from "./read-ndjson.ts";

const schema = z.object({ n: z.number() });

test("reads every line and skips empty ones", () => {
  expect(readNdjson(fileWith('{"n":1}\n\n{"n":2}\n'), schema)).toEqual([{ n: 1 }, { n: 2 }]);
});

test("names the line that is not valid", () => {
  expect(() => readNdjson(fileWith('{"n":1}\n{"n":"two"}\n'), schema)).toThrow(/lines\.ndjson:2 /);
  expect(() => readNdjson(fileWith("{"), schema)).toThrow(/lines\.ndjson:1 /);
});

function fileWith(text: string): URL {
  const folder = mkdtempSync(join(tmpdir(), "ndjson-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "lines.ndjson");
  writeFileSync(file, text);
  return pathToFileURL(file);
}
