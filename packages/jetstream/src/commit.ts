/**
 * Storing turns (I3, I5).
 *
 * One turn that sends nothing is one publish with the expected revision; the server takes many of
 * those at once, faster than batches. Everything else is an atomic batch:
 *
 * 1. A batch is published by `publishBatch`, which says how.
 * 2. Each agent's first record carries the expected revision. Later records of the same agent in
 *    the same batch are
 *    `chained` and carry none: the server would compare with what was stored before the batch.
 * 3. A batch is stored at contiguous sequences, so the answer's sequence gives every record's
 *    position.
 * 4. The server bounds open batches per stream, so this process opens only a few and the others
 *    wait their turn.
 */
import type { TroupeError } from "@troupe/core";
import { LogRefusedError, LogUnavailableError } from "@troupe/core/errors";
import { agentName, type Position, type TurnCommit } from "@troupe/core/log";

import { publishBatch } from "./atomic-batch.ts";
import { deadLetterMessage } from "./dead-letter-record.ts";
import {
  headerRoomBytes,
  inputMessage,
  type DraftMessage,
  type InputRules,
} from "./draft-message.ts";
import { headerBlock, headerLine } from "./header-block.ts";
import { commitError } from "./publish-error.ts";
import type { PubAck } from "./pub-ack.ts";
import type { ReplyWaiter } from "./reply-box.ts";
import type { Session } from "./session.ts";
import { timerMessages, type TimerMessages } from "./timer-changes.ts";

const openBatchesMax = 8;
const expectedRevision = "Nats-Expected-Last-Subject-Sequence";

export class TurnPublisher {
  readonly #session: Session;
  readonly #waiting: (() => void)[] = [];
  #openBatches = 0;
  #lastBatch = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  commit(turns: readonly TurnCommit[]): Promise<readonly Position[]> {
    const [only] = turns;
    if (only === undefined) return Promise.resolve([]);
    if (turns.length > 1 || !isAlone(only)) return this.#group(turns);
    try {
      return this.#single(turns, recordMessage(this.#session, only));
    } catch (thrown) {
      return Promise.reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }

  async #group(turns: readonly TurnCommit[]): Promise<readonly Position[]> {
    const messages = await commitMessages(this.#session, turns);
    const [single] = messages.list;
    if (messages.list.length === 1 && single !== undefined) return this.#single(turns, single);
    return this.#batch(turns, messages);
  }

  async #batch(
    turns: readonly TurnCommit[],
    messages: CommitMessages,
  ): Promise<readonly Position[]> {
    if (this.#openBatches >= openBatchesMax) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#openBatches++;
    }
    try {
      return await this.#publishBatch(turns, messages);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#openBatches--;
      else next();
    }
  }

  #publishBatch(
    turns: readonly TurnCommit[],
    messages: CommitMessages,
  ): Promise<readonly Position[]> {
    const { list, recordIndexes } = messages;
    const last = list.length - 1;
    const id = `${this.#session.id}-${++this.#lastBatch}`;
    return new Promise((resolve, reject) => {
      const positions = (lastSeq: number): readonly Position[] =>
        recordIndexes.map((index) => lastSeq - last + index);
      const waiter = this.#waiter(turns, list.length, { positions, resolve, reject });
      publishBatch(this.#session, id, list, waiter);
    });
  }

  #single(turns: readonly TurnCommit[], message: DraftMessage): Promise<readonly Position[]> {
    const { replyBox, commitTimeoutMs } = this.#session;
    return new Promise((resolve, reject) => {
      replyBox.send({
        subject: message.subject,
        payload: message.payload,
        headers: headerBlock(message.lines),
        timeoutMs: commitTimeoutMs,
        waiter: this.#waiter(turns, 1, { positions: (seq) => [seq], resolve, reject }),
      });
    });
  }

  #waiter(turns: readonly TurnCommit[], count: number, outcome: Outcome): ReplyWaiter {
    return {
      onReply: (reply) => {
        const ack = this.#session.readPubAck(reply.data);
        if (ack.error !== undefined) outcome.reject(commitError(ack.error, agentsOf(turns)));
        else if (ack.count !== count) outcome.reject(wrongCount(ack, count));
        else outcome.resolve(outcome.positions(ack.seq));
        return false;
      },
      onFailure: outcome.reject,
    };
  }
}

/** Effect of the stream's answer to a commit. */
interface Outcome {
  /** The records' positions, from that of the last message. */
  readonly positions: (lastSeq: number) => readonly Position[];
  readonly resolve: (positions: readonly Position[]) => void;
  readonly reject: (error: unknown) => void;
}

interface CommitMessages {
  readonly list: readonly DraftMessage[];
  /** Index of each turn's record in `list`. */
  readonly recordIndexes: readonly number[];
}

/** All messages of the turns, checked, so that nothing is published when one of them cannot be. */
function commitMessages(
  session: Session,
  turns: readonly TurnCommit[],
): CommitMessages | Promise<CommitMessages> {
  const on: InputRules = {
    subjects: session.subjects,
    payloadBytesMax: session.limits.payloadBytesMax,
    idHeader: "Troupe-Id",
  };
  // Most turns change no timers, and need not wait for anything.
  if (turns.every(({ timers = [] }) => timers.length === 0)) return inOrder(session, turns, on);
  return timerMessages(session, turns, on).then((timers) => inOrder(session, turns, on, timers));
}

function inOrder(
  session: Session,
  turns: readonly TurnCommit[],
  on: InputRules,
  timers?: ReadonlyMap<TurnCommit, TimerMessages>,
): CommitMessages {
  const { subjects, limits } = session;
  requireFollowed(turns);
  const list: DraftMessage[] = [];
  const recordIndexes: number[] = [];
  for (const turn of turns) {
    recordIndexes.push(list.length);
    const changes = timers?.get(turn);
    list.push(recordMessage(session, turn, changes?.recordLines));
    for (const draft of turn.outgoing) list.push(inputMessage(draft, on));
    if (changes !== undefined) list.push(...changes.messages);
    if (turn.deadLetter !== undefined) {
      const { lines, payload } = deadLetterMessage(turn.deadLetter, limits.payloadBytesMax);
      list.push({ subject: subjects.dead(turn.deadLetter.agent ?? turn.agent), lines, payload });
    }
  }
  if (list.length > limits.commitMessagesMax)
    throw tooMany(turns, list.length, limits.commitMessagesMax);
  return { list, recordIndexes };
}

function recordMessage(session: Session, turn: TurnCommit, moreLines = ""): DraftMessage {
  const { record, expectedRevision: expected } = turn;
  const bytesMax = session.limits.payloadBytesMax + headerRoomBytes / 2;
  if (record.length === 0 || record.length > bytesMax) {
    throw new LogRefusedError(
      `The turn record of ${agentName(turn.agent)} has ${record.length} bytes; the log takes 1 to ${bytesMax}. ` +
        `Nothing was stored.`,
      { details: { bytes: record.length, bytesMax } },
    );
  }
  const fence = expected === "chained" ? "" : headerLine(expectedRevision, expected);
  return {
    subject: session.subjects.journal(turn.agent),
    lines: fence + moreLines,
    payload: record,
  };
}

/** A chained record without the one it follows would be stored without any fence. */
function requireFollowed(turns: readonly TurnCommit[]): void {
  const seen = new Set<string>();
  for (const { agent, expectedRevision: expected } of turns) {
    const name = agentName(agent);
    if (expected === "chained" && !seen.has(name)) {
      throw new LogRefusedError(`A chained turn of ${name} follows no turn of it in its commit.`, {
        details: { agent: name },
      });
    }
    seen.add(name);
  }
}

/** The turn stores its record and nothing else, as most turns do. */
function isAlone({
  deadLetter,
  expectedRevision: expected,
  outgoing,
  timers,
}: TurnCommit): boolean {
  return (
    outgoing.length === 0 &&
    deadLetter === undefined &&
    (timers === undefined || timers.length === 0) &&
    expected !== "chained"
  );
}

function agentsOf(turns: readonly TurnCommit[]): string {
  const names = [...new Set(turns.map((turn) => agentName(turn.agent)))];
  return names.length <= 5
    ? names.join(", ")
    : `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`;
}

function tooMany(turns: readonly TurnCommit[], count: number, countMax: number): TroupeError {
  return new LogRefusedError(
    `The commit of ${agentsOf(turns)} has ${count} messages, more than the ${countMax} of one atomic batch. ` +
      `Nothing was stored.`,
    { details: { count, countMax } },
  );
}

function wrongCount(ack: PubAck, count: number): TroupeError {
  return new LogUnavailableError(
    `The log acknowledged ${ack.count} of ${count} messages; the outcome is unknown.`,
  );
}
