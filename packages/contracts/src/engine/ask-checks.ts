/**
 * Asking: the answers that come back, asks that none comes to, and asks that must not be waited
 * for.
 */
import assert from "node:assert/strict";

import { agentNamed, agent, Reject } from "@troupe/core";
import { RemoteTurnError } from "@troupe/core/errors";
import type { LogCheck } from "../log-harness.ts";
import { everything, rejectsWith } from "../observe.ts";
import { anything, ledger } from "./ledger.ts";
import { Stage } from "./stage.ts";

/** Asks whom the message names, on behalf of the rest of the way. */
const walker = agent("walker").on(
  "walk",
  anything<{ way: readonly string[] }>(),
  (ctx, { way }) => {
    const [next, ...rest] = way;
    if (next === undefined) return "arrived";
    return ctx.ask(agentNamed("walker"), next)["walk"]?.({ way: rest });
  },
);

export const askChecks: readonly LogCheck[] = [
  {
    name: "asking an agent type that nobody hosts fails at once, and names the types there are",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(ledger());
      const unknown = agentNamed("nobody");
      await rejectsWith(call(troupe.agent(unknown, "alice"), "note"), "unknown-agent");
      await rejectsWith(call(troupe.send(unknown, "alice"), "note"), "unknown-agent");
      const client = await stage.client();
      const failure = await call(client.agent(unknown, "alice"), "note").catch(String);
      assert.match(String(failure), /ledger/);
    },
  },
  {
    name: "asking for a message that the agent type does not handle fails at once",
    async run(harness) {
      await using stage = new Stage(harness);
      await stage.host(ledger());
      const client = await stage.client();
      const named = agentNamed("ledger");
      await rejectsWith(call(client.agent(named, "alice"), "shred"), "unknown-message");
      await rejectsWith(call(client.send(named, "alice"), "shred"), "unknown-message");
      assert.deepEqual(await everything(await stage.log()), []);
    },
  },
  {
    name: "an agent that asks itself is told so instead of waiting for ever",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(walker);
      await rejectsWith(troupe.agent(walker, "a").walk({ way: ["a"] }), "call-cycle");
      assert.equal(await troupe.agent(walker, "a").walk({ way: ["b", "c"] }), "arrived");
    },
  },
  {
    name: "A asks B asks A is a call cycle; every agent on the way goes on",
    async run(harness) {
      await using stage = new Stage(harness);
      await stage.host(walker);
      await stage.host(walker);
      const client = await stage.client();
      await rejectsWith(client.agent(walker, "a").walk({ way: ["b", "a"] }), "call-cycle");
      await rejectsWith(client.agent(walker, "a").walk({ way: ["b", "c", "b"] }), "call-cycle");
      assert.equal(await client.agent(walker, "a").walk({ way: ["b", "c"] }), "arrived");
    },
  },
  {
    name: "I7: asks nested deeper than the limit fail",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(walker, { callDepthMax: 3 });
      assert.equal(await troupe.agent(walker, "a").walk({ way: ["b", "c", "d"] }), "arrived");
      const deep = troupe.agent(walker, "a").walk({ way: ["b", "c", "d", "e"] });
      await rejectsWith(deep, "call-depth");
    },
  },
  {
    name: "I7: handlers that wait for other agents leave room for these to answer",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(walker, { handlersMax: 1 });
      const asked = troupe.agent(walker, "a", { timeoutMs: 2000 }).walk({ way: ["b", "c", "d"] });
      assert.equal(await asked, "arrived");
    },
  },
  {
    name: "a rejection is final: one run, and the asker's answer, typed; unasked it is a dead letter",
    async run(harness) {
      await using stage = new Stage(harness);
      let runs = 0;
      const strict = ledger((_, { text }) => {
        runs += 1;
        if (text === "no") throw new Reject("overdrawn", { missing: 5 });
      });
      const host = await stage.host(strict);
      const asked = host.troupe.agent(strict, "alice").note({ text: "no" });
      const error: unknown = await asked.catch((thrown: unknown) => thrown);
      assert.ok(error instanceof Reject);
      assert.equal(error.reason, "overdrawn");
      assert.deepEqual(error.data, { missing: 5 });
      assert.equal(runs, 1);
      assert.equal(await host.troupe.agent(strict, "alice").note({ text: "yes" }), 1);
      const letters = async (): Promise<number> =>
        (await everything(await stage.log())).filter(({ kind }) => kind === "dead-letter").length;
      assert.equal(await letters(), 0);
      const { position } = await host.troupe.send(strict, "alice").note({ text: "no" });
      await host.heard.has("dead-letter");
      assert.equal(host.heard.of("dead-letter")[0]?.inputPosition, position);
      assert.equal(await letters(), 1);
    },
  },
  {
    name: "what a handler throws reaches the asker with its message",
    async run(harness) {
      await using stage = new Stage(harness);
      const broken = ledger(() => {
        throw new TypeError("x is not a function");
      });
      const { troupe } = await stage.host(broken, { retry: { attemptsMax: 2 } });
      const asked = troupe.agent(broken, "alice").note({ text: "hello" });
      const error: unknown = await asked.catch((thrown: unknown) => thrown);
      assert.ok(error instanceof RemoteTurnError);
      assert.match(error.message, /x is not a function/);
    },
  },
  {
    name: "closing a client fails what it still asks for",
    async run(harness) {
      await using stage = new Stage(harness);
      const slow = ledger(() => Promise.withResolvers<void>().promise);
      const host = await stage.host(slow);
      const client = await stage.client();
      const asked = client.agent(slow, "alice").note({ text: "hello" });
      await host.heard.has("turn.started");
      const closed = rejectsWith(asked, "stopped");
      await client.close();
      await closed;
      await rejectsWith(client.agent(slow, "alice").note({ text: "again" }), "stopped");
      await rejectsWith(client.send(slow, "alice").note({ text: "again" }), "stopped");
      await host.worker.stop({ drainTimeoutMs: 0 });
    },
  },
  {
    name: "what a handler leaves out is left out of the reply, and null stays null",
    async run(harness) {
      await using stage = new Stage(harness);
      const odd = agent("odd")
        .on("nothing", anything<null>(), () => undefined)
        .on("null", anything<null>(), () => null)
        .on("missing", anything<null>(), () => ({ here: 1, missing: undefined }));
      const { troupe } = await stage.host(odd);
      assert.equal(await troupe.agent(odd, "a").nothing(null), undefined);
      assert.equal(await troupe.agent(odd, "a").null(null), null);
      assert.deepEqual(await troupe.agent(odd, "a").missing(null), { here: 1 });
    },
  },
];

type Call = ((message: unknown) => Promise<unknown>) | undefined;

function call(calls: Readonly<Record<string, Call>>, message: string): Promise<unknown> {
  return calls[message]?.({ text: "hello" }) ?? Promise.resolve();
}
