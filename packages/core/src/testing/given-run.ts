/** Runs one given/when/then case on the real engine, with a log and a time of its own. */
import { setImmediate as nextRound } from "node:timers/promises";

import type { AgentDefinition } from "../agent/agent-definition.ts";
import type { Agent, EventTypes } from "../agent/agent.ts";
import { agent } from "../agent/agent.ts";
import { recordedEvent } from "../agent/event-version.ts";
import { createTroupe } from "../client/troupe.ts";
import { DefinitionError } from "../errors/definition-errors.ts";
import type { AgentId } from "../log/address.ts";
import type { Input, InputDraft } from "../log/input.ts";
import type { Log } from "../log/log.ts";
import { validate } from "../schema/schema.ts";
import type { Schema } from "../schema/schema.ts";
import type { RecordedEvent, TurnRecord } from "../turn/turn-record.ts";
import { encodeRecord } from "../turn/turn-record.ts";
import { asStored, encodePayload } from "../wire/payload.ts";
import { agentRuntime } from "../worker/agent-runtime.ts";
import type { Outcome } from "./given.ts";
import { createMemoryBroker } from "./memory/memory-broker.ts";
import { Agenda } from "./simulation/agenda.ts";
import { chanceOf } from "./simulation/chance.ts";
import { drained } from "./simulation/drained.ts";
import { GrowingHistory } from "./simulation/history.ts";

export interface CannedAnswer {
  readonly type: string;
  readonly message: string;
  readonly reply: unknown;
}

export interface GivenEvent {
  readonly type: PropertyKey;
  readonly data: unknown;
  /** Absent means the declared one. */
  readonly version?: number;
}

export interface GivenCase {
  readonly definition: AgentDefinition;
  readonly key: string;
  readonly events: readonly GivenEvent[];
  readonly answers: readonly CannedAnswer[];
  /** The message, or the topic. */
  readonly message: string | undefined;
  readonly topic: string | undefined;
  readonly data: unknown;
}

/** A worker alone, that nothing hurries: only what the case does happens. */
const settings = Object.freeze({
  id: "given",
  floorIntervalMs: 1e9,
  retry: { attemptsMax: 1 },
  timings: { joinDelayMs: 0, heartbeatMs: 1e9, deadAfterMs: 1e10 },
});

/**
 * @throws DefinitionError, SchemaError, and what a fold throws, when the history is not one of this
 * agent
 */
export async function runCase(which: GivenCase): Promise<Outcome<unknown, EventTypes>> {
  const { definition, key } = which;
  const events = historyOf(which);
  const agenda = new Agenda(() => undefined);
  const broker = createMemoryBroker({
    partitions: 1,
    clock: agenda,
    schedule: (task) => void agenda.add("task", 0, task),
  });
  const log = broker.connect("given");
  const clock = agenda.clock("given");
  const troupe = createTroupe(log, { name: "given", clock, random: chanceOf(1, "given").next });
  const history = new GrowingHistory(broker.entries(), [definition]);
  const id: AgentId = { type: definition.type, key };
  const handled = (): TurnRecord | undefined => {
    history.read();
    return history.turns(id, key)[events.length > 0 ? 1 : 0]?.record;
  };
  await until(agenda, begin(log, id, events));
  await until(agenda, troupe.work([definition, ...standIns(which)], settings));
  await until(agenda, log.accept(draftOf(which)));
  let record = handled();
  for (; record === undefined; record = handled()) await proceed(agenda);
  const outcome = outcomeOf(history, id, record, definition);
  await until(agenda, troupe.close());
  return outcome;
}

/** The events as the journal would have them. */
function historyOf({ definition, events, key }: GivenCase): readonly RecordedEvent[] {
  const runtime = agentRuntime(definition);
  const recorded = events.map(({ data, type, version }): RecordedEvent => {
    const name = String(type);
    const declared = Object.hasOwn(definition.events, name) ? definition.events[name] : undefined;
    if (declared === undefined) {
      throw new DefinitionError(`Agent ${definition.type} declares no event ${name}.`, {
        details: { type: definition.type, event: name },
      });
    }
    if (version !== undefined && version !== declared.version) {
      return recordedEvent(name, asStored(data), version);
    }
    const valid = validate(declared.schema, data, `Event ${definition.type}.${name}`);
    return recordedEvent(name, valid, declared.version);
  });
  let state = definition.initialState;
  const place = { agent: { type: definition.type, key }, position: 0 };
  for (const event of recorded) state = runtime.fold(state, event, place);
  return recorded;
}

/** One turn that emitted everything before. */
async function begin(log: Log, id: AgentId, events: readonly RecordedEvent[]): Promise<void> {
  if (events.length === 0) return;
  const record = encodeRecord({
    turn: 1,
    inputPosition: 0,
    messageId: "given",
    message: "given",
    events,
    outgoingIds: [],
    attempts: 1,
    traceparent: "",
    worker: "given",
    version: "given",
    acceptedAtMs: 0,
    startedAtMs: 0,
    tookMs: 0,
  });
  await log.commit([{ agent: id, expectedRevision: 0, record, outgoing: [] }]);
}

function draftOf({ data, definition, key, message, topic }: GivenCase): InputDraft {
  const address =
    topic === undefined
      ? ({ kind: "agent", name: definition.type, key } as const)
      : ({ kind: "topic", name: topic, key } as const);
  const metadata = { id: "when", message, contentType: "application/msgpack" } as const;
  return { address, metadata, payload: encodePayload(data) };
}

const anything: Schema = {
  "~standard": { version: 1, vendor: "troupe", validate: (value) => ({ value }) },
};

/** Agents that answer what they are told to. */
function standIns({ answers }: GivenCase): readonly AgentDefinition[] {
  const byType = Map.groupBy(answers, ({ type }) => type);
  return [...byType].map(([type, all]) => {
    const replies = new Map(all.map(({ message, reply }) => [message, reply]));
    let standIn: Agent<unknown, unknown, unknown> = agent(type);
    for (const [message, reply] of replies) standIn = standIn.on(message, anything, () => reply);
    return standIn;
  });
}

async function until<Result>(agenda: Agenda, promise: Promise<Result>): Promise<Result> {
  let settled = false;
  const settle = promise.finally(() => (settled = true));
  settle.catch(() => undefined);
  for (;;) {
    await drained();
    if (settled) return settle;
    await proceed(agenda);
  }
}

/** Longer than an ask waits, and shorter than the limit of a turn. */
const nearMs = 60_000;

/** The next thing happens; when there is nothing near, the handler waits for something real. */
async function proceed(agenda: Agenda): Promise<void> {
  await drained();
  if (agenda.nextInMs > nearMs) await nextRound();
  else agenda.step();
}

function outcomeOf(
  history: GrowingHistory,
  id: AgentId,
  record: TurnRecord,
  definition: AgentDefinition,
): Outcome<unknown, EventTypes> {
  const outgoing = [...history.inputs.values()].filter(({ metadata }) =>
    record.outgoingIds.includes(metadata.id ?? ""),
  );
  const isMessage = ({ address }: Input): boolean => address.kind === "agent";
  return {
    events: record.events.map(({ data, type }) => ({ type, data })),
    state: history.state(definition as Agent<unknown, unknown, unknown>, id.key),
    reply: record.reply,
    failure: record.failure,
    sent: outgoing.filter(isMessage).map((input) => ({
      to: `${input.address.name}/${input.address.key}`,
      message: input.metadata.message ?? "",
      data: history.payload(input),
    })),
    published: outgoing
      .filter((input) => !isMessage(input))
      .map((input) => ({
        topic: input.address.name,
        source: input.address.key,
        data: history.payload(input),
      })),
  };
}
