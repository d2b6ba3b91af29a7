/**
 * Group commit: the finished turns of all agents of a worker, on their way to the log.
 *
 *  COMMIT-1 A mailbox has at most one commit on its way; its turns keep their order.
 *  COMMIT-2 A turn that stores nothing but its record commits alone: one message is atomic by
 *     itself, needs no batch, and its conflict concerns nobody else. Only a key with many finished
 *     turns commits them as a chain; the log says from which number on (`chainMin`).
 *  COMMIT-3 All other turns commit in groups, many agents in one atomic batch. A batch costs the
 *     log about the same whatever its size, so only a few are on their way at once and the rest
 *     gathers for the next one. A group is of one shard.
 *  COMMIT-4 A conflict in a group is found by halving: only the conflicting agent starts again
 *           (I5).
 *  COMMIT-5 The number of turns on their way is bounded (I7).
 */
import { RevisionConflictError } from "../../errors/log-errors.ts";
import { errorData, isFinal, TroupeError } from "../../errors/troupe-error.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Log, TurnCommit } from "../../log/log.ts";
import { shardOfKey } from "../../log/shard.ts";
import { messagesOf } from "../turn/turn-size.ts";
import type { Committing } from "./committing.ts";
import type { Turn } from "../turn/turn.ts";
import type { LogFooting } from "../../log/log-footing.ts";

export interface CommitLimits {
  /** Single records on their way. */
  readonly singlesMax: number;
  /** Groups on their way. */
  readonly groupsMax: number;
  /** Bytes in one group. */
  readonly groupBytesMax: number;
}

/** A mailbox's part of a commit. */
interface CommitPart {
  readonly mailbox: Committing;
  readonly shard: number;
  readonly turns: readonly Turn[];
  readonly commits: readonly TurnCommit[];
  readonly messages: number;
  readonly bytes: number;
}

export interface CommitHost {
  readonly log: Log;
  readonly feed: InspectionFeed;
  /** Stores, and is told of what is stored. */
  readonly footing: Pick<LogFooting, "commit" | "positionIn" | "stored">;
}

export class Committer {
  readonly #log: Log;
  readonly #feed: InspectionFeed;
  readonly #footing: CommitHost["footing"];
  readonly #limits: CommitLimits;
  /** Mailboxes with finished turns. */
  #waiting: Committing[] = [];
  /** Shares that need a group. */
  #gathering: CommitPart[] = [];
  #singles = 0;
  #groups = 0;
  #flushScheduled = false;

  constructor(host: CommitHost, limits: CommitLimits) {
    this.#log = host.log;
    this.#feed = host.feed;
    this.#footing = host.footing;
    this.#limits = limits;
  }

  /**
   * The mailbox has finished turns. They leave together with all others that finish in the same
   * moment.
   */
  schedule(mailbox: Committing): void {
    if (mailbox.scheduled) return;
    mailbox.scheduled = true;
    this.#waiting.push(mailbox);
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    let taken = 0;
    while (taken < waiting.length && this.#singles < this.#limits.singlesMax) {
      const mailbox = waiting[taken++];
      if (mailbox !== undefined) this.#take(mailbox);
    }
    this.#waiting = taken === waiting.length ? [] : waiting.slice(taken);
    while (this.#gathering.length > 0 && this.#groups < this.#limits.groupsMax) this.#sendGroup();
  }

  #take(mailbox: Committing): void {
    mailbox.scheduled = false;
    const turns = mailbox.takeReady(this.#log.limits);
    const first = turns[0];
    if (first === undefined) return;
    const share = shareOf(mailbox, turns, shardOfKey(this.#log, mailbox.agent.key));
    if (share.messages === 1) this.#commitSingle(share);
    else this.#gathering.push(share);
  }

  /** Most turns come this way: one promise each. */
  #commitSingle(share: CommitPart): void {
    this.#singles += 1;
    const startedAt = this.#feed.active ? performance.now() : 0;
    const before = this.#footing.positionIn(share.shard);
    this.#footing.commit(share.commits).then(
      (revisions) => {
        this.#standOn(share, revisions, before);
        if (this.#feed.active) this.#stored([share], performance.now() - startedAt);
        share.mailbox.committed(revisions);
        this.#singleEnded();
      },
      (thrown: unknown) => {
        this.#failedAlone([share], thrown);
        this.#singleEnded();
      },
    );
  }

  #singleEnded(): void {
    this.#singles -= 1;
    if (this.#waiting.length > 0) this.#scheduleFlush();
  }

  #sendGroup(): void {
    const { commitMessagesMax } = this.#log.limits;
    let messages = 0;
    let bytes = 0;
    const shard = this.#gathering[0]?.shard;
    const group: CommitPart[] = [];
    const rest: CommitPart[] = [];
    let isFull = false;
    for (const share of this.#gathering) {
      const isOther = share.shard !== shard;
      if (!isOther && !isFull) {
        messages += share.messages;
        bytes += share.bytes;
        isFull = messages > commitMessagesMax || bytes > this.#limits.groupBytesMax;
      }
      if (isOther || (isFull && group.length > 0)) rest.push(share);
      else group.push(share);
    }
    this.#gathering = rest;
    this.#groups += 1;
    void this.#commit(group).then(() => {
      this.#groups -= 1;
      this.#scheduleFlush();
    });
  }

  /** Stores the shares; never rejects: every share ends committed, recovering or refused. */
  async #commit(shares: readonly CommitPart[]): Promise<void> {
    const startedAt = this.#feed.active ? performance.now() : 0;
    const before = this.#footing.positionIn(shares[0]?.shard ?? 0);
    try {
      const revisions = await this.#footing.commit(shares.flatMap((share) => share.commits));
      this.#standOn(shares.at(-1), revisions, before);
      if (this.#feed.active) this.#stored(shares, performance.now() - startedAt);
      let from = 0;
      for (const share of shares) {
        const own = revisions.slice(from, from + share.commits.length);
        share.mailbox.committed(revisionsOf(share, own));
        from += share.commits.length;
      }
    } catch (thrown) {
      await this.#failed(shares, thrown);
    }
  }

  /** The last record of a commit is the furthest thing that this worker knows of the log. */
  #standOn(share: CommitPart | undefined, revisions: readonly Position[], before: Position): void {
    const record = share?.commits.at(-1)?.record;
    const revision = revisions.at(-1);
    if (record !== undefined && revision !== undefined) {
      this.#footing.stored(revision, record, before);
    }
  }

  async #failed(shares: readonly CommitPart[], thrown: unknown): Promise<void> {
    // Nothing was stored, because of one of the shares; the others must not pay for it (I10).
    const definite =
      thrown instanceof RevisionConflictError ||
      (thrown instanceof TroupeError && !thrown.retryable);
    if (definite && shares.length > 1) {
      const middle = Math.ceil(shares.length / 2);
      await this.#commit(shares.slice(0, middle));
      await this.#commit(shares.slice(middle));
      return;
    }
    this.#failedAlone(shares, thrown);
  }

  #failedAlone(shares: readonly CommitPart[], thrown: unknown): void {
    if (this.#feed.active) {
      const agents = shares.map((share) => share.mailbox.agent);
      this.#feed.emit({ kind: "commit.failed", agents, failure: errorData(thrown) });
    }
    // A turn tells its own refusal, and a conflict is the fence at work.
    if (!isFinal(thrown) && !(thrown instanceof RevisionConflictError)) {
      this.#feed.emit({ kind: "fault", what: "commit", failure: errorData(thrown) });
    }
    for (const { mailbox } of shares) {
      if (thrown instanceof TroupeError && !thrown.retryable) mailbox.refuse(thrown);
      else mailbox.recover();
    }
  }

  #stored(shares: readonly CommitPart[], tookMs: number): void {
    const turns = shares.reduce((sum, share) => sum + share.turns.length, 0);
    const messages = shares.reduce((sum, share) => sum + share.messages, 0);
    this.#feed.emit({ kind: "commit.stored", turns, messages, tookMs });
  }
}

function shareOf(mailbox: Committing, turns: readonly Turn[], shard: number): CommitPart {
  let messages = 0;
  let bytes = 0;
  const commits: TurnCommit[] = [];
  for (const turn of turns) {
    messages += messagesOf(turn);
    bytes += turn.bytes.byteLength;
    for (const draft of turn.outgoing) bytes += draft.payload.byteLength;
    for (const timer of turn.timers) {
      if (timer.kind === "set") bytes += timer.message.payload.byteLength;
    }
    const { agent } = mailbox;
    const { deadLetter, end: record, outgoing, timers } = turn;
    const expectedRevision = commits.length === 0 ? mailbox.revision : "chained";
    commits.push({ agent, expectedRevision, record: turn.bytes, outgoing, deadLetter, timers });
    if (record === undefined) continue;
    bytes += record.byteLength;
    commits.push({ agent, expectedRevision: "chained", record, outgoing: [] });
  }
  return { mailbox, shard, turns, commits, messages, bytes };
}

/** The journal's revision after each turn: of the base record behind it where the agent ended. */
function revisionsOf(
  { commits, turns }: CommitPart,
  revisions: readonly Position[],
): readonly Position[] {
  if (commits.length === turns.length) return revisions;
  let next = -1;
  return turns.map(({ end }) => {
    next += end === undefined ? 1 : 2;
    return revisions[next] ?? 0;
  });
}
