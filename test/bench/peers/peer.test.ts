/** A round counts only when every deposit was handled once, and in the order of its key. */
import { describe, expect, test } from "vitest";

import { amount, checkBalances, checkReplySum, depositsOn, keyOf, keys } from "./peer.ts";

const deposits = 2500;

/** The balance after each deposit, as a peer replies that is right. */
function replies(): number[] {
  const balances = new Map<string, number>();
  return Array.from({ length: deposits }, (_, deposit) => {
    const balance = (balances.get(keyOf(deposit)) ?? 0) + amount;
    balances.set(keyOf(deposit), balance);
    return balance;
  });
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0);

describe("the replies", () => {
  test("are accepted when they are the balances after each deposit", () => {
    expect(() => checkReplySum(sumOf(replies()), deposits)).not.toThrow();
  });

  test.each([
    ["of a deposit that was made twice", () => [...replies().slice(0, -1), 4 * amount]],
    ["of two deposits that saw the same balance", () => [...replies().slice(0, -1), 2 * amount]],
    ["of which one is not a number", () => [...replies(), Number.NaN]],
  ])("%s are refused", (_, wrong) => {
    expect(() => checkReplySum(sumOf(wrong()), deposits)).toThrow("add up to");
  });
});

describe("the kept balances", () => {
  const right = (): Map<string, number> =>
    new Map(
      Array.from({ length: keys }, (_, key) => [keyOf(key), amount * depositsOn(key, deposits)]),
    );

  test("are accepted when each is what its deposits make", () => {
    expect(() => checkBalances(right(), deposits)).not.toThrow();
  });

  test("are refused when the total is right and one deposit went to another key", () => {
    const wrong = right()
      .set(keyOf(0), 2 * amount)
      .set(keyOf(999), 3 * amount);
    expect(() => checkBalances(wrong, deposits)).toThrow(`The balance of ${keyOf(0)} is 10`);
  });

  test("are refused when a key is missing", () => {
    const wrong = right();
    wrong.delete(keyOf(7));
    expect(() => checkBalances(wrong, deposits)).toThrow(keyOf(7));
  });
});
