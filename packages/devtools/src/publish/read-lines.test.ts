import fc from "fast-check";
import { expect, test } from "vitest";
import { readLines } from "./read-lines.ts";
import type { Line } from "./read-lines.ts";

async function* chunks(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (let turn = 0; start < bytes.byteLength; turn += 1) {
    const end = start + (sizes[turn % sizes.length] ?? 1);
    yield bytes.subarray(start, end);
    start = end;
  }
}

async function linesOf(bytes: Uint8Array, sizes: readonly number[] = [7]): Promise<Line[]> {
  return Array.fromAsync(readLines(chunks(bytes, sizes), 20));
}

test("lines are the same however the bytes are cut", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
  const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll(/[\r\n\ufeff]/g, ""));
  await fc.assert(
    fc.asyncProperty(fc.array(line), sizes, async (texts, cuts) => {
      const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(""));
      const read = await linesOf(bytes, cuts);
      expect(read).toEqual(await linesOf(bytes, [bytes.byteLength + 1]));
      expect(read.map(({ number }) => number)).toEqual(texts.map((_, index) => index + 1));
      expect(read.at(-1)?.bytesRead ?? 0).toBe(bytes.byteLength);
      for (const [index, text] of texts.entries()) {
        const isTooLong = Buffer.byteLength(text) > 20;
        expect(read[index]?.text).toBe(isTooLong ? undefined : text.trim());
      }
    }),
  );
});

test("CRLF, a byte order mark and a last line without an end are understood", async () => {
  const lines = await linesOf(Buffer.from("\u{feff}one\r\n\r\ntwo"));
  expect(lines.map(({ text }) => text)).toEqual(["one", "", "two"]);
});

test("a line that is no UTF-8 is a problem of that line", async () => {
  const lines = await linesOf(Buffer.from([0x31, 0x0a, 0xff, 0xfe, 0x0a, 0x32]));
  expect(lines.map(({ text, problem }) => text ?? problem)).toEqual([
    "1",
    "it is not valid UTF-8",
    "2",
  ]);
});
