/** The recorded replies to inputs: how lost ones are found again (I4). */
import { AgentErasedError } from "../../errors/personal-errors.ts";
import { ReplyNotKeptError } from "../../errors/state-errors.ts";
import type { ErrorData } from "../../errors/troupe-error.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Log, ReadOptions } from "../../log/log.ts";
import { openedReply } from "../personal/opened-reply.ts";
import type { BaseRecord } from "../../journal/base-record.ts";
import { lateReplyOf } from "../../journal/answering.ts";
import type { Reply } from "../../journal/reply.ts";
import { replyOf } from "../../journal/reply.ts";
import { decodeJournalRecord } from "../../journal/journal-record.ts";
import type { TombstoneRecord } from "../../journal/tombstone-record.ts";
import type { TurnRecord } from "../../journal/turn-record.ts";

/** An input whose reply is looked for, and the progress of that: nothing is read twice. */
export interface SoughtReply {
  readonly position: Position;
  /** Records up to here were read. */
  after: Position;
  /** True once its turn is there, and a later one answers (ANSWER-1). */
  open: boolean;
}

/** A record always comes after its input, so the search starts there. */
export function soughtReply(position: Position): SoughtReply {
  return { position, after: position, open: false };
}

/**
 * The reply to the input at `inputPosition`; undefined when it is not handled yet, or to be
 * answered by a turn that is not there yet (ANSWER-1).
 */
export async function findReply(
  log: Log,
  agent: AgentId,
  inputPosition: Position,
  options: ReadOptions = {},
): Promise<Reply | undefined> {
  const sought = soughtReply(inputPosition);
  return (await findReplies(log, agent, [sought], options)).get(sought);
}

/** The replies that are there, to several inputs of one agent, in one pass over its journal. */
export async function findReplies(
  log: Log,
  agent: AgentId,
  sought: readonly SoughtReply[],
  options: ReadOptions = {},
): Promise<ReadonlyMap<SoughtReply, Reply>> {
  const search = new ReplySearch(agent, sought);
  let after = Math.min(...sought.map((each) => each.after));
  while (search.goesOn) {
    const entries = await log.journal(agent, after, options);
    if (entries.length === 0) break;
    for (const { record: bytes, revision } of entries) {
      after = revision;
      const record = decodeJournalRecord(bytes);
      if (record.kind === "turn") search.see(record.turn);
      else if (record.kind === "base") search.begin(record.base);
      else if (record.kind === "tombstone") search.erased(record.tombstone, agent);
      if (!search.goesOn) break;
    }
    search.cameTo(after);
  }
  return openedReplies(log, agent, search.found);
}

/** Turns handle inputs in log order, so one that is passed over has no turn. */
class ReplySearch {
  readonly found = new Map<SoughtReply, Reply>();
  /** Inputs whose reply is looked for, in log order. */
  readonly #waiting: SoughtReply[];
  /** Asks that their turns have left open. */
  readonly #open: Set<SoughtReply>;

  readonly #agent: AgentId;

  constructor(agent: AgentId, sought: readonly SoughtReply[]) {
    this.#agent = agent;
    this.#open = new Set(sought.filter(({ open }) => open));
    this.#waiting = sought
      .filter(({ open }) => !open)
      .toSorted((one, other) => other.position - one.position);
  }

  get goesOn(): boolean {
    return this.#waiting.length > 0 || this.#open.size > 0;
  }

  see(turn: TurnRecord): void {
    for (;;) {
      const next = this.#waiting.at(-1);
      if (next === undefined || next.position > turn.inputPosition) break;
      this.#waiting.pop();
      if (next.position < turn.inputPosition) continue;
      if (turn.answering?.later !== true) this.found.set(next, replyOf(turn));
      else {
        next.open = true;
        this.#open.add(next);
      }
    }
    const late = this.#open.size === 0 ? undefined : lateReplyOf(turn);
    if (late === undefined) return;
    for (const each of this.#open) this.found.set(each, late);
    this.#open.clear();
  }

  /** Gives up the earlier asks that are not answered any more. */
  erased(tombstone: TombstoneRecord, agent: AgentId): void {
    const { inputPosition } = tombstone;
    const isBefore = ({ position }: SoughtReply): boolean => position <= inputPosition;
    const over = [...this.#waiting.filter(isBefore), ...this.#open];
    for (const each of over) {
      this.found.set(each, { failure: erasedFailure(agent, each.position, tombstone) });
    }
    const rest = this.#waiting.filter((each) => !isBefore(each));
    this.#waiting.splice(0, this.#waiting.length, ...rest);
    this.#open.clear();
  }

  /** Turns that came before it, and were not seen, are not kept any more. */
  begin({ lastInput, openAsks }: BaseRecord): void {
    for (let next = this.#waiting.at(-1); next !== undefined; next = this.#waiting.at(-1)) {
      if (next.position > lastInput) return;
      this.#waiting.pop();
      if (openAsks.includes(next.position)) {
        next.open = true;
        this.#open.add(next);
      } else this.found.set(next, notKept(this.#agent, next.position));
    }
  }

  cameTo(position: Position): void {
    for (const each of [...this.#waiting, ...this.#open]) {
      each.after = Math.max(each.after, position);
    }
  }
}

async function openedReplies(
  log: Log,
  agent: AgentId,
  found: ReadonlyMap<SoughtReply, Reply>,
): Promise<ReadonlyMap<SoughtReply, Reply>> {
  const open = new Map<SoughtReply, Reply>();
  for (const [sought, reply] of found) open.set(sought, await openedReply(log, agent, reply));
  return open;
}

/**
 * Failure of an erased message; only one behind all that were handled is known not to have been.
 */
function erasedFailure(
  agent: AgentId,
  inputPosition: Position,
  { handledTo = Infinity }: TombstoneRecord,
): ErrorData {
  const name = agentName(agent);
  const known = inputPosition > handledTo ? { handled: false } : {};
  const what =
    inputPosition > handledTo
      ? "it was not handled before and will not be; send it again if it still counts"
      : "whether it was handled before is not known any more";
  return new AgentErasedError(
    `${name} was erased after it was sent the message at ${inputPosition}: ${what}.`,
    { details: { agent: name, inputPosition, ...known } },
  ).toData();
}

/** The agent's journal begins after the turn: it was handled, and that is all that is known. */
function notKept(agent: AgentId, position: Position): Reply {
  const name = agentName(agent);
  const error = new ReplyNotKeptError(
    `${name} has handled the message at ${position}; the record with its reply is not kept any more. Ask for it while it is, or let the agent's retention keep more.`,
    { details: { agent: name, position } },
  );
  return { failure: error.toData() };
}
