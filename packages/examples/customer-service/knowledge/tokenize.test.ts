import { expect, test } from "vitest";
import { tokenize } from "./tokenize.ts";

test("forms of an English word meet in one term", () => {
  expect(tokenize("charged")).toEqual(tokenize("charges"));
  expect(tokenize("Updating")).toEqual(tokenize("updates"));
});

test("Chinese is split into words and pairs of neighbouring characters", () => {
  expect(tokenize("网关离线")).toEqual(expect.arrayContaining(["网关", "离线"]));
});

test("stop words, numbers, signs and repetitions are no terms", () => {
  expect(tokenize("I have been there, 42 😀 !!! 怎么")).toEqual([]);
  expect(tokenize("refund refund 退款退款").filter((term) => term === "退款")).toHaveLength(1);
});

test("full-width letters are ordinary letters", () => {
  expect(tokenize("ＷＩＦＩ")).toEqual(tokenize("Wi-Fi"));
});
