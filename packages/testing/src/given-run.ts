/** Runs one given/when/then case on the real engine, with a log and a time of its own. */
import { setImmediate as nextRound } from "node:timers/promises";

import type { AgentDefinition, EventTypes, Schema } from "@troupe/core/engine";
import type { Agent, WorkerOptions } from "@troupe/core";
import { agent, createTroupe, Reject } from "@troupe/core";
import type { AgentId, Input, InputDraft, Log, TimerChange } from "@troupe/core/log";
import type { TurnRecord } from "@troupe/core/operate";
import { decodePayload, encodePayload } from "@troupe/core/log";
import type { Outcome, TimerSet } from "./given.ts";
import type { GivenHistory } from "./given-history.ts";
import { commitEvents, historyOf } from "./given-history.ts";
import { createMemoryBroker } from "./memory/memory-broker.ts";
import { Agenda } from "./simulation/agenda.ts";
import { chanceOf } from "./simulation/chance.ts";
import { drained } from "./simulation/drained.ts";
import { GrowingHistory } from "./simulation/history.ts";
import { overlay } from "./simulation/overlay.ts";
import { type StubbedStep, withStubs } from "./stubbed-steps.ts";

export interface CannedAnswer {
  readonly type: string;
  readonly message: string;
  readonly reply: unknown;
  /** Set when the answer is a refusal. */
  readonly refusal?: { readonly reason: string; readonly data: unknown };
}

export interface GivenCase extends GivenHistory {
  readonly answers: readonly CannedAnswer[];
  readonly steps: readonly StubbedStep[];
  /** Time at which the case begins, in milliseconds since the epoch. */
  readonly atMs: number;
  /** The message, or the topic. */
  readonly message: string | undefined;
  readonly topic: string | undefined;
  /** Id of the timer that sends the message. */
  readonly timer?: string;
  readonly data: unknown;
}

/** A worker alone, that nothing hurries: only what the case does happens. */
export const settings: WorkerOptions = Object.freeze({
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
  const agenda = new Agenda(() => undefined, which.atMs);
  const broker = createMemoryBroker({
    partitions: 1,
    clock: agenda,
    schedule: (task) => void agenda.add("task", 0, task),
  });
  const changes: TimerChange[] = [];
  const log = noting(broker.connect("given"), changes);
  const clock = agenda.clock("given");
  const troupe = createTroupe(log, {
    name: "given",
    onFault: false,
    clock,
    random: chanceOf(1, "given").next,
  });
  const history = new GrowingHistory(broker.entries(), [definition]);
  const id: AgentId = { type: definition.type, key };
  const handled = (): TurnRecord | undefined => {
    history.read();
    return history.turns(id, key)[events.length > 0 ? 1 : 0]?.record;
  };
  await until(agenda, commitEvents(log, id, events, 0));
  const hosted = [withStubs(definition, which.steps), ...standIns(which.answers)];
  await until(agenda, troupe.work(hosted, settings));
  await until(agenda, log.accept(draftOf(which)));
  let record = handled();
  for (; record === undefined; record = handled()) await proceed(agenda);
  const outcome = {
    ...outcomeOf(history, id, record, definition),
    timers: changes.flatMap((change) => timerSet(change, record)),
    cancelled: changes.filter(({ kind }) => kind === "cancel").map((change) => change.id),
  };
  await until(agenda, troupe.close());
  return outcome;
}

/** The log, which notes what a commit does with timers. */
function noting(log: Log, changes: TimerChange[]): Log {
  return overlay(log, {
    commit: (turns) => {
      // Before its answer, because the case is over when the record is there. Nothing refuses it.
      changes.push(...turns.flatMap(({ timers = [] }) => timers));
      return log.commit(turns);
    },
  });
}

function timerSet(change: TimerChange, { startedAtMs }: TurnRecord): readonly TimerSet[] {
  if (change.kind === "cancel") return [];
  const { id, isNew, message, time } = change;
  const { address, metadata, payload } = message;
  return [
    {
      ...(isNew === true ? {} : { id }),
      ...("atMs" in time ? { inMs: time.atMs - startedAtMs } : { everyMs: time.everyMs }),
      to: `${address.name}/${address.key}`,
      message: metadata.message ?? "",
      data: decodePayload(payload, metadata.contentType),
    },
  ];
}

function draftOf({ data, definition, key, message, timer, topic }: GivenCase): InputDraft {
  const address =
    topic === undefined
      ? ({ kind: "agent", name: definition.type, key } as const)
      : ({ kind: "topic", name: topic, key } as const);
  const sender = timer === undefined ? undefined : `${definition.type}/${key}`;
  const metadata = {
    id: "when",
    message,
    timer,
    sender,
    contentType: "application/msgpack",
  } as const;
  return { address, metadata, payload: encodePayload(data) };
}

const anything: Schema = {
  "~standard": { version: 1, vendor: "troupe", validate: (value) => ({ value }) },
};

/** Agents that answer what they are told to. */
export function standIns(answers: readonly CannedAnswer[]): readonly AgentDefinition[] {
  const byType = Map.groupBy(answers, ({ type }) => type);
  return [...byType].map(([type, all]) => {
    const last = new Map(all.map((answer) => [answer.message, answer]));
    let standIn: Agent<unknown, unknown, unknown> = agent(type);
    for (const [message, { refusal, reply }] of last) {
      standIn = standIn.on(message, anything, () => {
        if (refusal !== undefined) throw new Reject(refusal.reason, refusal.data);
        return reply;
      });
    }
    return standIn;
  });
}

export async function until<Result>(agenda: Agenda, promise: Promise<Result>): Promise<Result> {
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
export async function proceed(agenda: Agenda): Promise<void> {
  await drained();
  if (agenda.nextInMs > nearMs) await nextRound();
  else agenda.step();
}

function outcomeOf(
  history: GrowingHistory,
  id: AgentId,
  record: TurnRecord,
  definition: AgentDefinition,
): Omit<Outcome<unknown, EventTypes>, "timers" | "cancelled"> {
  const outgoing = [...history.inputs.values()].filter(({ metadata }) =>
    record.sent.some((sent) => sent.id === metadata.id),
  );
  return {
    events: record.events.map(({ data, type }) => ({ type, data })),
    state: history.state(definition as Agent<unknown, unknown, unknown>, id.key),
    reply: record.reply,
    failure: record.failure,
    ...messagesOf(history, outgoing),
  };
}

/** Messages that were sent and published, as they are told. */
export function messagesOf(
  history: GrowingHistory,
  outgoing: readonly Input[],
): Pick<Outcome<unknown, EventTypes>, "published" | "sent"> {
  const isMessage = ({ address }: Input): boolean => address.kind === "agent";
  return {
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
