import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { printable } from "@troupe/core/operate";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Paint } from "./paint.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "\u001b[31mred\u001b[39m",
    "\u001b]0;title\u0007",
    "\r\n",
    "\u202e",
    "<31>",
    "\u009b",
  ),
);

test("only our own colours reach the terminal, whatever they are put around", () => {
  fc.assert(
    fc.property(text, text, (before, inside) => {
      const paint = new Paint();
      const line = paint.seen(before + paint.styled("red", inside) + before);
      const shown = printable(before);
      expect(line).toBe(`${shown}\u001b[31m${printable(inside)}\u001b[39m${shown}`);
      expect(stripVTControlCharacters(line)).toBe(shown + printable(inside) + shown);
      expect(paint.linesSeen(`${before}\n`).endsWith("\n")).toBe(true);
    }),
  );
});

test("the marks of another process are text", () => {
  expect(new Paint().seen(new Paint().styled("red", "x"))).toMatch(/^[\w-]{36}<31>x[\w-]{36}<39>$/);
});

test("nothing but the terminal writes", async () => {
  const folder = join(import.meta.dirname, "..");
  const files = await readdir(folder, { recursive: true });
  const writers: string[] = [];
  for (const file of files.filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))) {
    const code = await readFile(join(folder, file), "utf8");
    if (/console\.|process\.std(?:out|err)(?!\.(?:columns|isTTY))|styleText\(/.test(code)) {
      writers.push(file);
    }
  }
  // What says that Node is too old comes before anything newer is loaded, and is our own text.
  expect(writers.toSorted()).toEqual(["main.ts", "terminal/terminal.ts"]);
});
