/**
 * The results that tallies and copies should make of their inputs, folded here a second time by
 * hand.
 *
 * A tally answers with its count after every addition, and with its whole state when it is asked
 * for a report; both are in the journal. So the state as the engine had it is compared at every
 * turn, without running the engine.
 */
import { isDeepStrictEqual } from "node:util";

import type { TurnRecord } from "@troupe/core/operate";

import {
  emptyTally,
  isCopied,
  marks,
  tallyAfter,
  type Add,
  type Mark,
  type Tally,
} from "../e2e/tally/tally.ts";
import type { Findings } from "./findings.ts";
import type { AgentRules } from "./journal-check.ts";
import type { StoredInput } from "./stream-reader.ts";

interface Progress {
  /** The last number that was told, of those that come one by one or two by two. */
  told: number;
  handled: number;
  toldMarks: number;
  marked: number;
  tally: Tally;
  readonly numbers: number[];
}

export class TallyRules implements AgentRules {
  /** Additions that have their turn. */
  committed = 0;
  readonly #agents = new Map<string, Progress>();
  readonly #findings: Findings;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  input({ agent, message, sender, value }: StoredInput): void {
    if (message === "report") return;
    if (message === marks.name) return this.#toldMark(agent, (value as Mark).n);
    const progress = this.#progress(agent);
    const { n } = value as Add;
    const step = message === "add" ? 1 : 2;
    if (n <= progress.told) this.#findings.add("duplicated", `${message} ${n} for ${agent}`);
    for (let missing = progress.told + step; missing < n; missing += step) {
      this.#findings.add("lost", `${message} ${missing} for ${agent}`);
    }
    progress.told = Math.max(progress.told, n);
    const expected = message === "add" ? sender : agent.replace("copy/", "tally/");
    if (sender !== expected) this.#findings.add("wrong", `${agent} was told by ${sender}`);
  }

  turn({ agent, message, value }: StoredInput, record: TurnRecord): void {
    const { failure } = record;
    if (failure !== undefined) {
      const text = `${message} of ${agent} failed: ${failure.code}, ${failure.message}`;
      return this.#findings.add("wrong", text.slice(0, textMax));
    }
    const progress = this.#progress(agent);
    if (message === "add") this.#added(agent, progress, value as Add, record);
    else if (message === marks.name) this.#marked(agent, progress, value as Mark, record);
    else if (message === "receive") this.#received(agent, progress, value as Add, record);
    else this.#reported(agent, progress, record);
  }

  /** After all entries: whether everything the publisher was promised is there. */
  expectTold(agent: string, count: number): void {
    const { told } = this.#progress(agent);
    for (let n = told + 1; n <= count; n++) this.#findings.add("lost", `add ${n} for ${agent}`);
    if (told > count) this.#findings.add("wrong", `${agent} was told ${told} instead of ${count}`);
  }

  /** Numbers up to this one reached the copy, if they are for it. */
  expectCopied(key: string, count: number): void {
    const { told } = this.#progress(`copy/${key}`);
    for (let n = told + 2; n <= count; n += 2) {
      this.#findings.add("lost", `receive ${n} for copy/${key}`);
    }
  }

  /** Marks up to this one reached the copy. */
  expectMarked(key: string, count: number): void {
    const { marked, toldMarks } = this.#progress(`copy/${key}`);
    for (let n = toldMarks + 1; n <= count; n++) this.#findings.add("lost", `mark ${n} for ${key}`);
    if (marked < count) this.#findings.add("lost", `marks after ${marked} for copy/${key}`);
  }

  #toldMark(agent: string, n: number): void {
    const progress = this.#progress(agent);
    if (n !== progress.toldMarks + 1) {
      const complaint = n <= progress.toldMarks ? "duplicated" : "lost";
      this.#findings.add(complaint, `mark ${n} for ${agent} after ${progress.toldMarks}`);
    }
    progress.toldMarks = Math.max(progress.toldMarks, n);
  }

  #marked(agent: string, progress: Progress, mark: Mark, record: TurnRecord): void {
    progress.marked += 1;
    this.committed += 1;
    this.#expect(agent, "mark", mark.n, progress.marked);
    this.#expect(agent, "events", eventsOf(record), [{ type: "marked", data: mark }]);
  }

  #added(agent: string, progress: Progress, add: Add, record: TurnRecord): void {
    progress.tally = tallyAfter(progress.tally, add);
    progress.handled += 1;
    this.committed += 1;
    this.#expect(agent, "events", eventsOf(record), [{ type: "counted", data: add }]);
    this.#expect(agent, "reply", record.reply, progress.handled);
    this.#expect(agent, "messages", record.sent.length, isCopied(add) ? 1 : 0);
  }

  #received(agent: string, progress: Progress, add: Add, record: TurnRecord): void {
    progress.numbers.push(add.n);
    this.#expect(agent, "events", eventsOf(record), [{ type: "received", data: add }]);
    this.#expect(agent, "messages", record.sent.length, 0);
  }

  #reported(agent: string, { numbers, tally }: Progress, record: TurnRecord): void {
    const state = agent.startsWith("tally/") ? tally : { count: numbers.length, numbers };
    this.#expect(agent, "state", record.reply, state);
    this.#expect(agent, "events", record.events.length, 0);
  }

  #expect(agent: string, what: string, actual: unknown, expected: unknown): void {
    if (isDeepStrictEqual(actual, expected)) return;
    const [is, should] = [actual ?? null, expected].map((each) =>
      JSON.stringify(each).slice(0, textMax),
    );
    this.#findings.add("wrong", `${what} of ${agent}: ${is} instead of ${should}`);
  }

  #progress(agent: string): Progress {
    let progress = this.#agents.get(agent);
    if (progress === undefined) {
      progress = { told: 0, handled: 0, toldMarks: 0, marked: 0, tally: emptyTally, numbers: [] };
      this.#agents.set(agent, progress);
    }
    return progress;
  }
}

const textMax = 120;

/** Plain objects, whatever the decoder made. */
function eventsOf({ events }: TurnRecord): unknown[] {
  return events.map(({ data, type }) => ({ type, data }));
}
