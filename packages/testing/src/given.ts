/**
 * An agent's behaviour in one sentence: given these events, when this message comes, then that
 * happens.
 *
 *   await given(account, [{ type: "deposited", data: { amount: 5 } }])
 *     .when("withdraw", { amount: 3 })
 *     .then({ events: [{ type: "withdrawn", data: { amount: 3 } }], reply: 2 });
 *
 * The message goes through the real engine, on a log of its own in memory, and the journal is
 * compared. Nothing is tried twice unless the message has a retry policy of its own, and agents
 * that are asked answer what `answering` says.
 */
import type { Agent, AgentReference, Topic } from "@troupe/core";
import type { ErrorData } from "@troupe/core/log";
import { expectOutcome } from "./given-expectation.ts";
import type { CannedAnswer, GivenCase } from "./given-run.ts";
import { runCase } from "./given-run.ts";
import { epochMs } from "./simulation/agenda.ts";
import { lastWord } from "./last-word.ts";

/** An event of an agent, as its journal has it. */
export type EventOf<Events> = {
  readonly [Name in keyof Events]: { readonly type: Name; readonly data: Events[Name] };
}[keyof Events];

/** An event as it was recorded in an earlier version: it goes through the upcasters. */
export interface PastEvent<Events> {
  readonly type: keyof Events;
  readonly version: number;
  readonly data: unknown;
}

/** A message that a turn sent. */
export interface SentMessage {
  /** `type/key` of the agent. */
  readonly to: string;
  readonly message: string;
  readonly data: unknown;
}

/** A publication that a turn made. */
export interface Published {
  readonly topic: string;
  readonly source: string;
  readonly data: unknown;
}

/** A timer that a turn set: a message that comes later. */
export interface TimerSet extends SentMessage {
  /** Absent when the handler named none. */
  readonly id?: string;
  /** Milliseconds from the beginning of the turn until it fires; absent when it repeats. */
  readonly inMs?: number;
  readonly everyMs?: number;
}

/** Results of a turn. */
export interface Outcome<State, Events> {
  readonly events: readonly EventOf<Events>[];
  /** The state after the turn. */
  readonly state: State;
  readonly reply: unknown;
  readonly failure: ErrorData | undefined;
  readonly sent: readonly SentMessage[];
  readonly published: readonly Published[];
  readonly timers: readonly TimerSet[];
  /** Ids of the timers that it cancelled. */
  readonly cancelled: readonly string[];
}

/**
 * Results that a turn should have; an absent one is not compared, except that a turn must fail only
 * when `failure` is there.
 */
export interface Expectation<State, Events, Reply> {
  readonly events?: readonly EventOf<Events>[];
  readonly state?: State;
  readonly reply?: Reply;
  /** The properties that count, such as `{ code: "rejected" }`. */
  readonly failure?: Partial<ErrorData>;
  readonly sent?: readonly SentMessage[];
  readonly published?: readonly Published[];
  readonly timers?: readonly TimerSet[];
  readonly cancelled?: readonly string[];
}

/** The message came. */
export interface When<State, Events, Reply> {
  /**
   * Resolves with the outcome. Rejects with an AssertionError when it differs.
   *
   * @example
   * ```ts
   * await given(account)
   *   .when("deposit", { amount: 5 })
   *   .then({ reply: 5, state: { balance: 5 } });
   * ```
   */
  then(expected: Expectation<State, Events, Reply>): Promise<Outcome<State, Events>>;
  /**
   * Results of the turn, with nothing expected of them.
   *
   * @example
   * ```ts
   * const { events } = await given(account).when("deposit", { amount: 5 }).outcome();
   * ```
   */
  outcome(): Promise<Outcome<State, Events>>;
}

/** Arguments for a message: none are needed for one without payload. */
type DataOf<Message> = [InputOf<Message>] extends [void]
  ? readonly [data?: undefined]
  : readonly [data: InputOf<Message>];
type InputOf<Message> = Message extends { readonly input: infer Input } ? Input : never;
/** Type of the reply to a message. */
export type ReplyOf<Message> = Message extends { readonly reply: infer Reply } ? Reply : never;

export interface Given<State, Events, Messages> {
  /**
   * Another agent's answer to an ask, whatever its key; the last one given for a message counts.
   *
   * @example
   * ```ts
   * given(teller).answering(account, "deposit", 10);
   * ```
   */
  answering<Others, Name extends keyof Others & string>(
    other: AgentReference<Others>,
    message: Name,
    reply: ReplyOf<Others[Name]>,
  ): Given<State, Events, Messages>;
  /**
   * Another agent's refusal of an ask: the handler's ask throws a `Reject` with this reason.
   *
   * @example
   * ```ts
   * given(account).refusing(account, "deposit", "closed");
   * ```
   */
  refusing<Others, Name extends keyof Others & string>(
    other: AgentReference<Others>,
    message: Name,
    reason: string,
    data?: unknown,
  ): Given<State, Events, Messages>;
  /**
   * The result of a step, in place of its effect; a function gets what the effect would get, and
   * may throw. Steps of batch handlers are not replaced.
   *
   * @example
   * ```ts
   * given(account).step("charge", { id: "ch_1" });
   * ```
   */
  step(name: string, result: unknown): Given<State, Events, Messages>;
  /**
   * A message for the agent comes; one without payload has no data.
   *
   * @example
   * ```ts
   * const { state } = await given(account).when("deposit", { amount: 5 }).outcome();
   * ```
   */
  when<Name extends keyof Messages & string>(
    message: Name,
    ...data: DataOf<Messages[Name]>
  ): When<State, Events, ReplyOf<Messages[Name]>>;
  /**
   * A timer of the agent fires: its message comes, and `ctx.message.timer` is this id.
   *
   * @example
   * ```ts
   * await given(account).whenFired("reminder", "deposit", { amount: 5 }).then({ reply: 5 });
   * ```
   */
  whenFired<Name extends keyof Messages & string>(
    timerId: string,
    message: Name,
    data: InputOf<Messages[Name]>,
  ): When<State, Events, ReplyOf<Messages[Name]>>;
  /**
   * An event is published on a topic, with the agent's key as its source.
   *
   * @example
   * ```ts
   * const { sent } = await given(conversation)
   *   .whenPublished(inquiries, { text: "Hello" })
   *   .outcome();
   * ```
   */
  whenPublished<Input, Output>(
    topic: Topic<Input, Output>,
    data: Input,
  ): When<State, Events, unknown>;
}

export interface GivenOptions {
  /** The agent's key. @default "one" */
  readonly key?: string;
  /**
   * Time at which the case begins: a date, or milliseconds since the epoch. `Date.now()` gives the
   * real one. @default midnight of 2026-01-01, UTC
   */
  readonly at?: Date | number;
}

/**
 * An agent with this history.
 *
 * @example
 * ```ts
 * await given(account, [{ type: "deposited", data: { amount: 5 } }])
 *   .when("deposit", { amount: 5 })
 *   .then({ reply: 10 });
 * ```
 */
export function given<State, Events, Messages>(
  agent: Agent<State, Events, Messages>,
  events: readonly (EventOf<Events> | PastEvent<Events>)[] = [],
  { at = epochMs, key = "one" }: GivenOptions = {},
): Given<State, Events, Messages> {
  return givenWith<State, Events, Messages>({
    definition: agent,
    key,
    events,
    answers: [],
    steps: [],
    atMs: Number(at),
  });
}

type History = Pick<GivenCase, "answers" | "atMs" | "definition" | "events" | "key" | "steps">;

function givenWith<State, Events, Messages>(history: History): Given<State, Events, Messages> {
  return {
    answering: (other, message, reply) => {
      const answer: CannedAnswer = { type: other.type, message, reply };
      return givenWith<State, Events, Messages>({
        ...history,
        answers: [...history.answers, answer],
      });
    },
    refusing: (other, message, reason, data) => {
      const refusal = { reason, data };
      const answer: CannedAnswer = { type: other.type, message, reply: undefined, refusal };
      return givenWith<State, Events, Messages>({
        ...history,
        answers: [...history.answers, answer],
      });
    },
    step: (name, result) =>
      givenWith<State, Events, Messages>({
        ...history,
        steps: [...history.steps, { name, result }],
      }),
    when: (message, ...[data]) => whenOf({ ...history, message, topic: undefined, data }),
    whenFired: (timer, message, data) =>
      whenOf({ ...history, message, topic: undefined, timer, data }),
    whenPublished: ({ name }, data) =>
      whenOf({ ...history, message: undefined, topic: name, data }),
  };
}

function whenOf<State, Events, Reply>(which: GivenCase): When<State, Events, Reply> {
  const run = async (): Promise<Outcome<State, Events>> =>
    (await runCase(which)) as Outcome<State, Events>;
  return {
    outcome: run,
    // oxlint-disable-next-line unicorn/no-thenable -- the third word of the sentence.
    then: lastWord(run, expectOutcome<State, Events, Reply>, "`.then({ … })` or `.outcome()`"),
  };
}
