import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tooWideComments, wrapComments } from "../../scripts/wrap-comments.ts";

const words = (count: number): string => Array.from({ length: count }, () => "word").join(" ");

describe("wrapping comments", () => {
  test("moves what overflows to the next line of the same paragraph", () => {
    const text = `/**\n * ${words(22)}\n * end.\n */\n`;
    expect(wrapComments(text)).toBe(`/**\n * ${words(19)}\n * ${words(3)} end.\n */\n`);
  });

  test("does not join a list entry to the text above it", () => {
    const text = `/**\n * ${words(22)}\n * 1. First.\n */\n`;
    expect(wrapComments(text)).toBe(`/**\n * ${words(19)}\n * ${words(3)}\n * 1. First.\n */\n`);
  });

  test("opens a comment of one line into a block", () => {
    const text = `  /** ${words(22)} */\n`;
    expect(wrapComments(text)).toBe(`  /**\n   * ${words(19)}\n   * ${words(3)}\n   */\n`);
  });

  test("leaves code, long words and instructions to tools alone", () => {
    const text = [
      `const a = "${words(40)}";`,
      `// ${"x".repeat(120)}`,
      `// oxlint-disable-next-line no-console -- ${words(30)}`,
      `// | ${words(40)} |`,
    ].join("\n");
    expect(wrapComments(text)).toBe(text);
  });

  test("leaves nothing too wide, keeps every word, and changes nothing the second time", () => {
    const word = fc.stringMatching(/^[a-z]{1,12}$/);
    const paragraph = fc.array(word, { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.array(paragraph, { minLength: 1, maxLength: 5 }), (paragraphs) => {
        const text = paragraphs.map((each) => `// ${each.join(" ")}\n`).join("//\n");
        const wrapped = wrapComments(text);
        expect(tooWideComments(wrapped)).toEqual([]);
        expect(wrapped.match(/[a-z]+/g)).toEqual(text.match(/[a-z]+/g));
        expect(wrapComments(wrapped)).toBe(wrapped);
      }),
    );
  });
});
