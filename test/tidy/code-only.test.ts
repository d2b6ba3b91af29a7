import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOnly } from "./code-only.ts";

test("comments and strings become blanks, code stays where it was", () => {
  const text = 'a("enum X {"); // any\nb(/["\']/.test(c)); /* enum\n any */ d / e;\n';
  const code = codeOnly(text);
  expect(code).not.toMatch(/enum|any/);
  expect(code.indexOf("b(")).toBe(text.indexOf("b("));
  expect(code.indexOf("d / e")).toBe(text.indexOf("d / e"));
});

test("a template that spans lines is one string", () => {
  expect(codeOnly("`a\nenum X {\n` + b")).toMatch(/^ \s*\n\s*\n\s+\+ b$/);
});

test("every line keeps its length", () => {
  const piece = fc.constantFrom('"', "'", "`", "\n", "/", "*", "\\", "a", " ", "(", "//", "/*");
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join("");
      const widths = (each: string): number[] => each.split("\n").map((line) => line.length);
      fc.pre(!/\\\n/.test(text) && !text.endsWith("\\"));
      expect(widths(codeOnly(text))).toEqual(widths(text));
    }),
  );
});
