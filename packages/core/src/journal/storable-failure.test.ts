import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { agent, createTroupe, pipeline, Reject } from "@troupe/core";
import type { ErrorData } from "@troupe/core/log";
import { createMemoryBroker } from "@troupe/testing";
import { encodedBytes } from "../wire/payload.ts";
import { storableFailure } from "./storable-failure.ts";

const quick = { timings: { joinDelayMs: 0 } };
const circle: { self?: unknown } = {};
circle.self = circle;

describe("a Reject", () => {
  it.each([
    ["too large", { offers: "x".repeat(20_000) }, /20014 bytes|shortened/],
    ["not storable", circle, /holds itself/],
    ["a bigint", 2n, /bigint/],
  ])(
    "keeps its reason when its data are %s, and says why they are not there",
    async (_, data, why) => {
      const stock = agent("stock").on("reserve", z.object({}), () => {
        throw new Reject("out of stock", { id: 7, data });
      });
      await using troupe = createTroupe(createMemoryBroker().connect());
      await troupe.work(stock, quick);
      const asked = troupe.agent(stock, "lamp").reserve({});
      const error = await asked.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Reject);
      const { message, omitted, reason } = error as Reject;
      expect(reason).toBe("out of stock");
      expect((error as Reject).data).toMatchObject({ id: 7 });
      expect(JSON.stringify(omitted)).toMatch(why);
      expect(message).toMatch(/^The message was rejected: out of stock\. Left out: data\./);
    },
  );

  it("arrives with data that are storable as they were", async () => {
    const data = { at: new Date(5), bytes: Uint8Array.of(1), by: new Map([["a", -0]]) };
    const stock = agent("stock").on("reserve", z.object({}), () => {
      throw new Reject("out of stock", data);
    });
    await using troupe = createTroupe(createMemoryBroker().connect());
    await troupe.work(stock, quick);
    const asked = troupe.agent(stock, "lamp").reserve({});
    const error = await asked.catch((thrown: unknown) => thrown);
    expect((error as Reject).data).toStrictEqual(data);
    expect((error as Reject).omitted).toBeUndefined();
  });

  it("keeps its reason through the stage of a pipeline", async () => {
    const orders = pipeline("orders", z.object({})).stage("price", () => {
      throw new Reject("no price", { offers: "x".repeat(20_000) });
    });
    await using troupe = createTroupe(createMemoryBroker().connect());
    await troupe.work(orders, quick);
    const asked = troupe.agent(orders, "one").run({});
    const error = await asked.catch((thrown: unknown) => thrown as Error);
    expect(error.cause).toMatchObject({ code: "rejected", reason: "no price" });
  });
});

describe("a failure", () => {
  it("fits into its bytes and is storable, with its code, whatever it holds", () => {
    const anything = fc.anything({ withBigInt: true, withMap: true, withTypedArray: true });
    const long = fc.string({ unit: "binary", maxLength: 30_000 });
    const part = fc.oneof(anything, long, fc.constant(circle));
    const details = fc.dictionary(fc.string(), part, { maxKeys: 60 });
    const failure = fc.record({
      code: fc.constant("some-code"),
      message: fc.oneof(fc.string(), long),
      retryable: fc.boolean(),
      details,
    });
    const law = fc.property(failure, fc.constantFrom(4096, 16_384), (each, bytesMax) => {
      const kept: ErrorData = storableFailure(each, bytesMax);
      expect(encodedBytes(kept)).toBeLessThanOrEqual(bytesMax);
      expect(kept.code).toBe("some-code");
      expect(storableFailure(kept, bytesMax)).toEqual(kept);
    });
    fc.assert(law, { numRuns: 150 });
  });
});
