/**
 * Watches what a process does to its log: the bounds it must keep (I7), the replies it sends, what
 * it was promised.
 */
import { agentName } from "@troupe/core/log";
import type {
  Accepted,
  InputDraft,
  Position,
  Log,
  Reader,
  ReadRequest,
  TurnCommit,
} from "@troupe/core/log";
import type { MemoryBroker } from "../memory/memory-broker.ts";
import type { WorkerSettings } from "@troupe/core/engine";
import { decodeJournalRecord } from "@troupe/core/operate";
import { JournalsSeen } from "./journals-seen.ts";
import { overlay } from "./overlay.ts";

/** Record of what all processes of a simulation did. */
export interface Watch {
  /** Bounds that were not kept, in words. */
  readonly breaches: string[];
  readonly replies: {
    readonly process: string;
    readonly replyTo: string;
    readonly payload: Uint8Array;
  }[];
  /** Messages that the log said to have stored. */
  readonly accepted: { readonly draft: InputDraft; readonly answer: Accepted }[];
  /** Knowledge of every process about the journals. */
  readonly seen: JournalsSeen;
  /**
   * Number of times that the log lost something: then not everything that processes say is on it.
   */
  losses: number;
  /** The log loses what comes after this position. */
  lost(last: Position): void;
  /** Position of the log's last entry. */
  readonly lastPosition: () => Position;
}

export function watchOf(broker: Pick<MemoryBroker, "entries">): Watch {
  const accepted: Watch["accepted"] = [];
  return {
    breaches: [],
    replies: [],
    accepted,
    losses: 0,
    lost(last) {
      this.losses += 1;
      const kept = accepted.filter(({ answer }) => answer.position <= last);
      accepted.splice(0, accepted.length, ...kept);
    },
    seen: new JournalsSeen(),
    lastPosition: () => broker.entries().length,
  };
}

export function watchedLog(log: Log, process: string, settings: WorkerSettings, watch: Watch): Log {
  const breach = (what: string): void => void watch.breaches.push(`${process}: ${what}`);
  const commits = new CommitWatch(log, settings, breach);
  return overlay(log, {
    accept: async (draft, options) => {
      const { losses } = watch;
      const answer = await log.accept(draft, options);
      // This message may have been lost while the answer was on its way.
      if (losses === watch.losses) watch.accepted.push({ draft, answer });
      return answer;
    },
    journal: async (agent, ...request) => {
      const stored = watch.lastPosition();
      const entries = await log.journal(agent, ...request);
      watch.seen.note(process, agentName(agent), stored);
      return entries;
    },
    commit: async (turns) => {
      // A process that erases an agent, or looks after idle ones, is not its mailbox.
      if (isOfErasure(turns) || isOfSweep(turns)) return log.commit(turns);
      commits.begin(turns);
      try {
        const revisions = await log.commit(turns);
        for (const [index, { agent }] of turns.entries()) {
          watch.seen.note(process, agentName(agent), revisions[index] ?? 0);
        }
        return revisions;
      } finally {
        commits.end(turns);
      }
    },
    reply: (replyTo, payload) => {
      watch.replies.push({ process, replyTo, payload });
      log.reply(replyTo, payload);
    },
    read: (request) => watchedReader(log, request, settings.windowMax, breach),
  });
}

class CommitWatch {
  readonly #log: Log;
  readonly #settings: WorkerSettings;
  readonly #breach: (what: string) => void;
  readonly #agents = new Set<string>();
  #onTheirWay = 0;

  constructor(log: Log, settings: WorkerSettings, breach: (what: string) => void) {
    this.#log = log;
    this.#settings = settings;
    this.#breach = breach;
  }

  begin(turns: readonly TurnCommit[]): void {
    const { groupsMax, singlesMax } = this.#settings;
    if (isAlone(turns)) return this.#takeTurns(turns);
    this.#onTheirWay += 1;
    if (this.#onTheirWay > singlesMax + groupsMax) {
      this.#breach(`${this.#onTheirWay} commits on their way, at most ${singlesMax}+${groupsMax}`);
    }
    const messages = turns.reduce((sum, turn) => sum + messagesOf(turn), 0);
    const messagesMax = this.#log.limits.commitMessagesMax;
    if (messages > messagesMax)
      this.#breach(`${messages} messages in a commit, at most ${messagesMax}`);
    this.#takeTurns(turns);
  }

  end(turns: readonly TurnCommit[]): void {
    if (!isAlone(turns)) this.#onTheirWay -= 1;
    for (const { agent } of turns) this.#agents.delete(agentName(agent));
  }

  /** An agent's turns are on their way only once, and not too many at a time. */
  #takeTurns(turns: readonly TurnCommit[]): void {
    const { runAheadMax } = this.#settings;
    const chains = Map.groupBy(turns, ({ agent }) => agentName(agent));
    for (const [name, chain] of chains) {
      if (this.#agents.has(name)) this.#breach(`${name} has two commits on their way`);
      this.#agents.add(name);
      // An end comes with its turn.
      const ahead = chain.filter(
        ({ record }) => decodeJournalRecord(record).kind !== "base",
      ).length;
      if (ahead <= runAheadMax) continue;
      this.#breach(`${name} ran ${ahead} turns ahead, at most ${runAheadMax}`);
    }
  }
}

/**
 * Steps and parkings go to the log by themselves; there are never more of them on their way than
 * agents at work.
 */
function isAlone([first, ...others]: readonly TurnCommit[]): boolean {
  if (first === undefined || others.length > 0 || first.outgoing.length > 0) return false;
  return decodeJournalRecord(first.record).kind !== "turn";
}

/** A base record alone: also its mailbox stores one only between its turns. */
function isOfSweep([first, ...others]: readonly TurnCommit[]): boolean {
  return (
    first !== undefined && others.length === 0 && decodeJournalRecord(first.record).kind === "base"
  );
}

/** A tombstone, or what makes sure before it that what was sent is stored: a note without steps. */
function isOfErasure([first]: readonly TurnCommit[]): boolean {
  const record = first && decodeJournalRecord(first.record);
  if (record?.kind === "steps") return record.steps.steps.length === 0;
  return record?.kind === "tombstone";
}

function messagesOf({ deadLetter, outgoing, timers = [] }: TurnCommit): number {
  return 1 + outgoing.length + timers.length + (deadLetter === undefined ? 0 : 1);
}

/** A reader is granted no more than it handed over, and never more than the window. */
function watchedReader(
  log: Log,
  request: ReadRequest,
  windowMax: number,
  breach: (what: string) => void,
): Reader {
  let credit = request.credit;
  const check = (): void => {
    if (credit > windowMax) breach(`credit ${credit} for ${request.source}, at most ${windowMax}`);
    if (credit < 0) breach(`inputs of ${request.source} beyond the credit`);
  };
  check();
  const reader = log.read({
    ...request,
    onInput: (input) => {
      credit -= 1;
      check();
      request.onInput(input);
    },
  });
  return {
    grant: (count, bytes) => {
      credit += count;
      check();
      reader.grant(count, bytes);
    },
    stop: () => reader.stop(),
  };
}
