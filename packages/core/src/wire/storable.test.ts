import { runInNewContext } from "node:vm";

import { describe, expect, it } from "vitest";

import { decodePayload, encodePayload } from "./payload.ts";
import { depthMax, handedOut, partsMax, stored, storedCopy } from "./storable.ts";

const circle: { list: unknown[] } = { list: [] };
circle.list.push(circle);

describe("what is not storable", () => {
  it.each<[string, unknown, string]>([
    ["a bigint", { price: 2n }, "price is a bigint: use a string or a number."],
    ["a function", [() => 1], "[0] is a function: use data, or leave it out."],
    ["a symbol", Symbol("s"), "it is a symbol: use a string."],
    ["a promise", { a: [Promise.resolve()] }, "a[0] is a promise: await it first."],
    ["an error", new TypeError("x"), "it is an error: use its message, or throw it."],
    ["an instance", { at: new URL("a:b") }, "at is an instance of URL: use a plain object."],
    ["a boxed number", Object(1), "it is an instance of Number: use a plain object."],
    ["an invalid date", new Date(Number.NaN), "it is a date without a time (Invalid Date)"],
    ["a typed array", new Float32Array(1), "it is binary data of another type: use a Uint8Array."],
    ["half a character", { "a b": "\ud800" }, '["a b"] has half a surrogate pair'],
    ["a name with half a character", { "\udc00": 1 }, '["\\udc00"] has half a surrogate pair'],
    ["a hole", Array.from({ length: 1 }).concat(Array(1)), "[1] is a hole in an array: use null."],
    ["__proto__", JSON.parse('{"a":{"__proto__":1}}'), 'a.__proto__ has a property "__proto__"'],
    ["an object as a key", new Map([[{}, 1]]), "get(object) is named by an object"],
    ["a part of a Map", new Map([["a", [1n]]]), "get(a)[0] is a bigint"],
    ["what holds itself", { top: circle }, "top.list[0] holds itself: store an id of it."],
    [
      "an accessor that throws",
      {
        get a(): never {
          throw new Error();
        },
      },
      "a cannot be read",
    ],
  ])("is refused with its path, in the copy and where it is encoded: %s", (_, value, why) => {
    const message = `The order cannot be stored: ${why}`;
    expect(() => stored(value, "The order")).toThrow(message);
    expect(() => encodePayload(value, "The order")).toThrow(message);
  });

  it("is a value of too many levels, also when it grows by one at a time", () => {
    let state: unknown = {};
    for (let level = 1; level < depthMax; level++) state = stored({ before: state }, "The state");
    expect(() => stored({ before: state }, "The state")).toThrow(/nested more than 128 levels/);
    expect(decodePayload(encodePayload(state), "application/msgpack")).toEqual(state);
  });

  it("is a value of too many parts, also when few of them are different", () => {
    let wide: unknown[] = [];
    for (let level = 0; level < 60; level++) wide = [wide, wide];
    const why = new RegExp(`more than ${partsMax} elements`);
    expect(() => stored(wide, "It")).toThrow(why);
    expect(() => encodePayload(wide)).toThrow(why);
  });
});

describe("the stored form", () => {
  it("has plain bytes, ordinary objects and no property that is undefined", () => {
    const bare = Object.assign(Object.create(null) as object, {
      b: Buffer.from([1]),
      u: undefined,
    });
    const form = stored(bare, "It");
    expect(form).toStrictEqual({ b: Uint8Array.of(1) });
    expect(Object.getPrototypeOf(form)).toBe(Object.prototype);
    expect(stored(runInNewContext("({ a: [1] })"), "It")).toEqual({ a: [1] });
  });

  it("reads an accessor once, and names a value that changes while it is read", () => {
    let reads = 0;
    const counting = {
      get count(): number {
        reads += 1;
        return reads;
      },
    };
    expect(stored([counting, counting], "It")).toEqual([{ count: 1 }, { count: 2 }]);
    const growing: Set<unknown> = new Set([
      {
        get a(): number {
          growing.add(growing.size);
          return 1;
        },
      },
    ]);
    expect(() => encodePayload(growing)).toThrow(/changed while it was read/);
  });

  it("of an accessor that encodes a value is right, and so is that value", () => {
    const nested: Uint8Array[] = [];
    const value = {
      before: "x".repeat(100),
      get inner(): string {
        nested.push(encodePayload("y".repeat(9000)));
        return "z";
      },
    };
    expect(decodePayload(encodePayload(value), "application/msgpack")).toEqual({
      before: "x".repeat(100),
      inner: "z",
    });
    const [inner = new Uint8Array()] = nested;
    expect(decodePayload(inner, "application/msgpack")).toBe("y".repeat(9000));
  });

  it("is frozen and shared where it can be, and copied where it cannot", () => {
    const plain = stored({ list: [{ a: 1 }] }, "It") as { readonly list: readonly object[] };
    expect(handedOut(plain)).toBe(plain);
    expect(Object.isFrozen(plain.list[0])).toBe(true);
    expect(stored({ next: plain }, "It")).toMatchObject({ next: { list: plain.list } });
    const loose = stored({ plain, at: new Date(1) }, "It") as { readonly at: Date };
    const given = handedOut(loose) as { readonly at: Date; readonly plain: unknown };
    expect(given.at).not.toBe(loose.at);
    expect(given.plain).toBe(plain);
    expect(Object.isFrozen(storedCopy(plain, "It"))).toBe(false);
  });

  it("does not trust what its giver froze", () => {
    const inner = { count: 1 };
    const form = stored(Object.freeze({ inner }), "It");
    inner.count = 2;
    expect(form).toEqual({ inner: { count: 1 } });
  });
});

describe("JSON from anybody", () => {
  it.each([
    ['{"a":{"__proto__":{"admin":true}}}', /__proto__/],
    ['"\\ud800"', /half a surrogate pair/],
    [`${"[".repeat(100_000)}${"]".repeat(100_000)}`, /levels deep/],
  ])("that says what is not storable is refused by name: %.20s", (text, why) => {
    const decode = (): unknown => decodePayload(Buffer.from(text), "application/json");
    expect(decode).toThrow(why);
    expect(decode).toThrow(expect.objectContaining({ code: "undecodable-payload" }));
  });
});
