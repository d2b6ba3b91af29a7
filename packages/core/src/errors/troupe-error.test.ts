import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { Reject, TroupeError } from "@troupe/core";
import { LogClosedError } from "@troupe/core/errors";
import { encodePayload, errorData } from "@troupe/core/log";

import { isFinal } from "./troupe-error.ts";

const dataBytesMax = 16_000;

describe("an error of another copy of this package", () => {
  it("is what it is, and nothing else", async () => {
    vi.resetModules();
    const copy = await import("./message-errors.ts");
    const rejected = new copy.Reject("sold out", { left: 0 });
    expect(Object.getPrototypeOf(rejected)).not.toBe(Reject.prototype);
    expect(rejected).toBeInstanceOf(Reject);
    expect(rejected).toBeInstanceOf(TroupeError);
    expect(rejected).not.toBeInstanceOf(LogClosedError);
    expect(isFinal(rejected)).toBe(true);
    expect(errorData(rejected)).toMatchObject({
      code: "rejected",
      details: { reason: "sold out", data: { left: 0 } },
    });
    // Its name alone makes an error none of ours.
    class Reject2 extends Error {}
    Object.defineProperty(Reject2, "name", { value: "Reject" });
    expect(new Reject2()).not.toBeInstanceOf(Reject);
  });
});

describe("describing what was thrown", () => {
  it.each(Object.entries(oddities()))("cannot fail for %s", (_, odd) => {
    const failure = errorData(odd);
    expect(failure).toMatchObject({ code: "handler-failed", retryable: true });
    expect(encodePayload(failure).byteLength).toBeLessThan(dataBytesMax);
    expect(isFinal(odd)).toBe(false);
  });

  it("cannot fail for any value, and stays small", () => {
    const value = fc.anything({ withNullPrototype: true, withBigInt: true, withSparseArray: true });
    const error = fc.tuple(fc.string(), value).map(([text, part]) => {
      // Its name, message, stack and cause may be anything, too.
      const odd = new Error(text);
      for (const name of ["name", "message", "stack", "cause"]) {
        Object.defineProperty(odd, name, { value: part });
      }
      return odd;
    });
    fc.assert(
      fc.property(fc.oneof(value, error), fc.boolean(), (thrown, refuses) => {
        const failure = errorData(refuses ? refusing(Object(thrown) as object) : thrown);
        expect(typeof failure.message).toBe("string");
        expect(encodePayload(failure).byteLength).toBeLessThan(dataBytesMax);
      }),
    );
  });

  it("keeps what a Troupe error says, and whether it stays", () => {
    expect(errorData(new Reject("no funds", { missing: 5 }))).toMatchObject({
      code: "rejected",
      details: { reason: "no funds", data: { missing: 5 } },
    });
    expect(isFinal(new Reject("no"))).toBe(true);
    expect(isFinal(new Error("no"))).toBe(false);
  });

  it("tells the causes, as many as there is room for", () => {
    const cause = new LogClosedError("the log was closed");
    const failure = errorData(new Error("no reply", { cause }));
    expect(failure.details?.["causes"]).toEqual(["LogClosedError: the log was closed"]);
    expect(errorData(chain(5000)).details?.["causes"]).toHaveLength(3);
  });
});

function oddities(): Readonly<Record<string, unknown>> {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const circle = new Error("circle");
  circle.cause = circle;
  return {
    "an object without a prototype": Object.create(null),
    "a symbol": Symbol("odd"),
    undefined: undefined,
    "a function": () => 1,
    "a revoked proxy": proxy,
    "a proxy that refuses": refusing(new Error("x")),
    "a stack of call sites": Object.assign(new Error("e"), { stack: [] }),
    "a stack that is null": Object.assign(new Error("e"), { stack: null }),
    "a message that is a symbol": Object.assign(new Error("e"), { message: Symbol("m") }),
    "a huge message": new Error("x".repeat(10_000_000)),
    "a huge stack": Object.assign(new Error("e"), { stack: "    at x\n".repeat(1_000_000) }),
    "a circle of causes": circle,
    "a chain of thousands of causes": chain(10_000),
    "a getter that throws": Object.defineProperty(new Error("e"), "message", {
      get: () => {
        throw new Error("again");
      },
    }),
    "a Troupe error that cannot be told": new (class extends Reject {
      override readonly retryable = true;
      override toData(): never {
        throw new Error("no data");
      }
    })("odd"),
  };
}

function refusing<Target extends object>(target: Target): Target {
  const refuse = (): never => {
    throw new Error("refused");
  };
  return new Proxy(target, { get: refuse, has: refuse, getPrototypeOf: refuse });
}

function chain(length: number): Error {
  let error = new Error("innermost");
  for (let count = 0; count < length; count += 1) error = new Error("outer", { cause: error });
  return error;
}
