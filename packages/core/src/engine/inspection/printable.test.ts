import fc from "fast-check";
import { expect, test } from "vitest";
import { printable, printableLines } from "./printable.ts";

test.each([
  ["plain text ~ {}", "plain text ~ {}"],
  ["Größe 발송 已发货 ｱ ✓ … –", "Größe 발송 已发货 ｱ ✓ … –"],
  ["👩‍👩‍👧 1️⃣ ❤️ 🇩🇪 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👩‍👩‍👧 1️⃣ ❤️ 🇩🇪 🏴󠁧󠁢󠁥󠁮󠁧󠁿"],
  ["ต้นไม้ हिन्दी e\u0301 ệ", "ต้นไม้ हिन्दी e\u0301 ệ"],
  ["\u001b[2J\u009b2K\r\n\t\u0007", String.raw`\u001b[2J\u009b2K\u000d\u000a\u0009\u0007`],
  ["ab\u202ecd\u2066\u200f\u061c", String.raw`ab\u202ecd\u2066\u200f\u061c`],
  ["a\u200bb\u00ad\ufeff\u2060\u3164\u2800", String.raw`a\u200bb\u00ad\ufeff\u2060\u3164\u2800`],
  ["👩\u200dx \ufe0f", String.raw`👩\u200dx \ufe0f`],
  ["\u{e0041}\u{f0000}\ue000\uffff", String.raw`\udb40\udc41\udb80\udc00\ue000\uffff`],
  ["\ud800x\udc00", String.raw`\ud800x\udc00`],
  ["a\u00a0b\u2003c\u3000d", String.raw`a\u00a0b\u2003c` + "\u3000d"],
  ["\u0301a", String.raw`\u0301a`],
  ["a\u0301\u0302\u0303\u0304\u0305\u0306", "a\u0301\u0302\u0303\u0304" + String.raw`\u0305\u0306`],
  ["a\u034f\u0301", String.raw`a\u034f` + "\u0301"],
])("%j is shown as %j", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

/** Any code unit, and often those that matter. */
const nasty = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.constantFrom("\u001b[31m", "\u202e", "\u200d", "\ufe0f", "\u0301", "👩", "1", "\\", '"'),
    ),
  )
  .map((parts) => parts.join(""));

test("whatever it is, everything in it can be seen, and it stays as it is (TEXT-1, TEXT-3)", () => {
  fc.assert(
    fc.property(nasty, (text) => {
      const shown = printable(text);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u);
      const noEmoji = shown.replaceAll(/\p{RGI_Emoji}/gv, "");
      expect(noEmoji).not.toMatch(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/u);
      expect(noEmoji).not.toMatch(/\p{M}{5}/u);
      expect(printable(shown)).toBe(shown);
      expect(printableLines(`${shown}\n${text}`).split("\n")[0]).toBe(shown);
    }),
    { numRuns: 500 },
  );
});

test("JSON stays the same value", () => {
  fc.assert(
    fc.property(nasty, (text) => {
      expect(JSON.parse(printable(JSON.stringify({ [text]: text })))).toEqual({ [text]: text });
    }),
  );
});
