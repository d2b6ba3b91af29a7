/** Names that JavaScript itself would call cannot be those of messages and events. */
import { inspect } from "node:util";

import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import { agent, topic } from "@troupe/core";
import { callsProxy } from "./agent-calls.ts";

describe.each(["then", "toJSON", "toString", "valueOf"])("the name %s", (name) => {
  it("is refused for a message and for an event, and is fine elsewhere", () => {
    const refused = expect.objectContaining({
      code: "definition",
      details: expect.objectContaining({ name }),
    });
    expect(() => agent("a").on(name, z.null(), () => null)).toThrow(refused);
    expect(() => agent("a").onBatch(name, z.null(), () => undefined)).toThrow(refused);
    expect(() => agent("a").event(name, z.null(), (state) => state)).toThrow(refused);
    const named = topic(name, z.null());
    expect(agent(name).subscribe(named, () => undefined).subscriptions).toHaveProperty(name);
  });
});

describe("an object of calls", () => {
  it("sends nothing when it is awaited, printed or turned into JSON", async () => {
    const call = vi.fn<() => void>();
    const calls = callsProxy<object>(call);
    expect(await Promise.resolve(calls)).toBe(calls);
    expect(JSON.stringify(calls)).toBe("{}");
    expect(inspect(calls)).toBe("{}");
    expect(() => Number(calls)).toThrow(TypeError);
    expect(call).not.toHaveBeenCalled();
  });
});
