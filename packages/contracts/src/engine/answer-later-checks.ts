/** Asks that are left open and answered by a later turn (ANSWER-1, ANSWER-2). */
import assert from "node:assert/strict";

import type { Agent } from "@troupe/core";
import type { None, LateReplies } from "@troupe/core/engine";
import { agent, Reject } from "@troupe/core";
import { range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import { anything, recordsOf } from "./ledger.ts";
import { Stage } from "./stage.ts";

interface Waiting {
  readonly asks: readonly string[];
}
type Question = { readonly remember: boolean };
type Desk = Agent<
  Waiting,
  None & { readonly asked: string },
  None & {
    readonly ask: { readonly input: Question; readonly reply: string };
    readonly decide: { readonly input: string; readonly reply: string };
  }
>;

/** A desk that leaves every question open until it decides. */
const desk = agent("desk")
  .state<Waiting>({ asks: [] })
  .event("asked", anything<string>(), ({ asks }, replyTo) => ({ asks: [...asks, replyTo] }))
  .on("ask", anything<Question>(), (context, { remember }) => {
    const replyTo = (context as unknown as LateReplies).answerLater();
    if (replyTo !== undefined && remember) context.emit.asked(replyTo);
    return "this is no answer";
  })
  .on("decide", anything<string>(), (context, answer) => {
    const failure = answer === "no" ? new Reject("unwanted").toData() : undefined;
    const many = answer === "many" ? range(20_000).map((i) => `${"nowhere".repeat(10)}.${i}`) : [];
    (context as unknown as LateReplies).answerNow([...context.state.asks, ...many], failure);
    return answer;
  }) as unknown as Desk;

const open = { remember: true } as const;
const forgotten = { remember: false } as const;

export const answerLaterChecks: readonly LogCheck[] = [
  {
    name: "ANSWER-1: an ask that is left open is answered by a later turn, with its reply or a failure",
    async run(harness) {
      await using stage = new Stage(harness);
      const { heard, troupe } = await stage.host(desk);
      // Finds nothing in the journal: it has to be told.
      const client = await stage.client({ tamper: () => ({ journal: async () => [] }) });
      const answers = [1, 2].map(() => client.agent(desk, "a").ask(open));
      const refused = rejectsWith(client.agent(desk, "b").ask(open), "rejected");
      await heard.has("turn.committed", 3);
      assert.equal(heard.of("reply.sent").length, 0);
      await troupe.send(desk, "a").decide("yes");
      await troupe.send(desk, "b").decide("no");
      assert.deepEqual(await Promise.all(answers), ["yes", "yes"]);
      await refused;
      const records = await recordsOf(await stage.log(), "b", "desk");
      assert.deepEqual(
        records.map(({ failure }) => failure),
        [undefined, undefined],
      );
    },
  },
  {
    name: "ANSWER-2: who is not told finds the answer in the journal, and before it nothing",
    async run(harness) {
      await using stage = new Stage(harness);
      const { heard, troupe } = await stage.host(desk);
      const first = troupe.agent(desk, "a").ask(forgotten, { id: "first" });
      await heard.has("turn.committed");
      const again = await stage.client();
      // Searches at once, and finds that it is open.
      const repeated = again.agent(desk, "a").ask(forgotten, { id: "first" });
      await troupe.send(desk, "a").decide("yes");
      assert.deepEqual(await Promise.all([first, repeated]), ["yes", "yes"]);
    },
  },
  {
    name: "ANSWER-2: an answer is for the asks before it",
    async run(harness) {
      await using stage = new Stage(harness);
      const { heard, troupe } = await stage.host(desk);
      await troupe.send(desk, "a").decide("early");
      const late = troupe.agent(desk, "a").ask(open);
      await heard.has("turn.committed", 2);
      await troupe.send(desk, "a").decide("in time");
      assert.equal(await late, "in time");
    },
  },
  {
    name: "ANSWER-2: an answer for more addresses than a record can hold is found in the journal",
    async run(harness) {
      await using stage = new Stage(harness);
      const { heard, troupe } = await stage.host(desk);
      const asked = troupe.agent(desk, "a").ask(open);
      await heard.has("turn.committed");
      await troupe.send(desk, "a").decide("many");
      assert.equal(await asked, "many");
      assert.equal(heard.of("dead-letter").length, 0);
    },
  },
  {
    name: "ASK-2: the answer reaches who asked when the worker that gave it died before it could say so",
    async run(harness) {
      await using stage = new Stage(harness);
      const client = await stage.client();
      const first = await stage.host(desk, { tamper: () => ({ reply: () => undefined }) });
      const answer = client.agent(desk, "a").ask(open);
      await first.heard.has("turn.committed");
      await client.send(desk, "a").decide("yes");
      await first.heard.has("turn.committed", 2);
      first.crash();
      assert.equal(await answer, "yes");
    },
  },
];
