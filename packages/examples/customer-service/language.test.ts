import { expect, test } from "vitest";
import { detectLanguage } from "./language.ts";

test.each([
  ["Where is my parcel?", "en"],
  ["我的包裹到哪了", "zh"],
  ["网关必须买吗,还是 speaker 可以直接控制 bulb?", "zh"],
  ["The label says 网关 and I cannot read it", "en"],
  ["12345 😀", "en"],
  ["", "en"],
])("the main language of %j is %s", (text, language) => {
  expect(detectLanguage(text)).toBe(language);
});
