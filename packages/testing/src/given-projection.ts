/**
 * A projection's behaviour in one sentence: given these events of these agents, then the model is
 * that.
 *
 *   await givenProjection(balances)
 *     .events(account, "alice", [{ type: "deposited", data: { amount: 5 } }])
 *     .then({ alice: 5 });
 *
 * The events go through the real runner, from a log of their own in memory into a model in memory.
 */
import assert from "node:assert/strict";

import type { Agent, Projection } from "@troupe/core";
import { createTroupe, memorySink } from "@troupe/core";
import type { AgentId, Position } from "@troupe/core/log";
import { agentName } from "@troupe/core/log";
import type { MemoryModel } from "@troupe/core/engine";
import type { EventOf, PastEvent } from "./given.ts";
import { commitEvents, historyOf } from "./given-history.ts";
import type { GivenHistory } from "./given-history.ts";
import { createMemoryBroker } from "./memory/memory-broker.ts";
import { lastWord } from "./last-word.ts";

export interface GivenProjection<Value> {
  /**
   * Further events of an agent, after all that were given before.
   *
   * @example
   * ```ts
   * givenProjection(balances).events(account, "alice", [
   *   { type: "deposited", data: { amount: 5 } },
   * ]);
   * ```
   */
  events<State, Events, Messages>(
    agent: Agent<State, Events, Messages>,
    key: string,
    events: readonly (EventOf<Events> | PastEvent<Events>)[],
  ): GivenProjection<Value>;
  /**
   * Resolves with the model. Rejects with an AssertionError when it differs, and with what a
   * handler throws.
   *
   * @example
   * ```ts
   * await givenProjection(balances).then(new Map());
   * ```
   */
  then(expected: Value): Promise<Value>;
  /**
   * The model, with nothing expected of it.
   *
   * @example
   * ```ts
   * const model = await givenProjection(balances).model();
   * ```
   */
  model(): Promise<Value>;
}

/**
 * A projection into memory, before any event.
 *
 * @example
 * ```ts
 * await givenProjection(balances)
 *   .events(account, "alice", [{ type: "deposited", data: { amount: 5 } }])
 *   .then(new Map([["alice", 5]]));
 * ```
 */
export function givenProjection<Value>(
  projection: Projection<MemoryModel<Value>>,
): GivenProjection<Value> {
  return after(projection, []);
}

function after<Value>(
  projection: Projection<MemoryModel<Value>>,
  histories: readonly GivenHistory[],
): GivenProjection<Value> {
  const model = (): Promise<Value> => project(projection, histories);
  return {
    events: (agent, key, events) =>
      after(projection, [...histories, { definition: agent, key, events }]),
    model,
    // oxlint-disable-next-line unicorn/no-thenable -- the last word of the sentence.
    then: lastWord(
      model,
      (value, expected) => assert.deepStrictEqual(value, expected),
      "`.then(model)` or `.model()`",
    ),
  };
}

async function project<Value>(
  projection: Projection<MemoryModel<Value>>,
  histories: readonly GivenHistory[],
): Promise<Value> {
  const log = createMemoryBroker({ partitions: 1 }).connect("given");
  const revisions = new Map<string, Position>();
  for (const history of histories) {
    const agent: AgentId = { type: history.definition.type, key: history.key };
    const name = agentName(agent);
    const revision = revisions.get(name) ?? 0;
    revisions.set(name, await commitEvents(log, agent, historyOf(history), revision));
  }
  const sink = memorySink();
  await using troupe = createTroupe(log, { name: "given", onFault: false });
  const running = await troupe.project(projection, sink);
  await running.caughtUp();
  return sink.read(projection);
}
