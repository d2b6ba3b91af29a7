/**
 * Whether the log is still the one that a worker has read and written: not made anew, not restored
 * from a backup, its tail not lost (I16).
 *
 *  FOOTING-1 A worker remembers the furthest thing that it read or stored. As long as that lies on
 *     the log, everything the worker knows does, because all of it lies before. A log of several
 *     shards has such a thing in each.
 *  FOOTING-2 The furthest thing is looked at before each floor is saved, whenever the connection
 *     comes back, and every interval. So a floor never stands on something that is gone, and
 *     trouble with the log is noticed within an interval. An agent that is activated after the log
 *     was away, or tried again, waits for that look: on a journal that lost its tail it would go on
 *     behind messages whose turns are gone. A later entry that is read meanwhile proves nothing:
 *     the one that was furthest before has to be there still. An entry on which it stands may be
 *     removed on purpose; then it stands on the low-water mark, which lies behind that.
 *  FOOTING-3 Between two looks nothing of a changed log can hide a loss: a worker that stores
 *     something after having seen a position gets a later one. An earlier one means that the log
 *     went back.
 *  FOOTING-4 After the log was away nothing is committed before that look: a turn of an input that
 *     was in a lost tail would hide what is accepted at that position later.
 */
import { LogUnavailableError } from "../errors/log-errors.ts";
import type { Position } from "../definition/message/input.ts";
import type { Log, TurnCommit } from "./log.ts";
import type { Mark } from "./log-end.ts";
import { removedUnder } from "./low-water.ts";
import { laterMark, logChanged } from "./mark.ts";
import { shardAt, shardOfKey } from "./shard.ts";

/**
 * A position that was read or stored: with the time at which it was stored, or the record that we
 * stored.
 */
interface Known {
  readonly position: Position;
  readonly atMs: number;
  readonly record: Uint8Array | undefined;
}

const nothing: Known = Object.freeze({ position: 0, atMs: 0, record: undefined });

/** Positions that a floor may be behind what is passed, before somebody looks for the end. */
const unknownMax = 500;

export type FootingLog = Pick<Log, "at" | "cell" | "commit" | "end" | "partitions" | "shards">;

export class LogFooting {
  readonly #log: FootingLog;
  readonly #onDoubt: () => void;
  #identity = "";
  /** Furthest known position of each shard. */
  readonly #furthest: Known[];
  /**
   * The furthest positions when the log went away: later ones that are read afterwards prove
   * nothing about these.
   */
  #beforeDoubt: readonly Known[] | undefined;
  #doubts = 0;
  #looking: Promise<void> | undefined;
  #learning: Promise<void> | undefined;
  #generation = 0;

  /** @param onDoubt the log may have changed: look at once */
  constructor(log: FootingLog, onDoubt: () => void) {
    this.#log = log;
    this.#onDoubt = onDoubt;
    this.#furthest = Array.from({ length: log.shards }, () => nothing);
  }

  /** Grows when everything that was known is forgotten. */
  get generation(): number {
    return this.#generation;
  }

  /** The furthest position that is known of a shard. */
  positionIn(shard: number): Position {
    return this.#furthest[shard]?.position ?? 0;
  }

  /** The log was away, and nobody has looked since whether it is still the same. */
  get inDoubt(): boolean {
    return this.#beforeDoubt !== undefined;
  }

  /** The log is away. */
  doubt(): void {
    this.#doubts += 1;
    this.#beforeDoubt ??= [...this.#furthest];
  }

  /** Start on the log as it is now. @throws LogUnavailableError */
  async begin(): Promise<void> {
    const generation = ++this.#generation;
    const { log } = await this.#log.end();
    if (generation !== this.#generation) return;
    this.#identity = log;
    this.#beforeDoubt = undefined;
    this.#furthest.fill(nothing);
  }

  /** The worker read an entry. */
  read(position: Position, storedAtMs: number): void {
    const shard = shardAt(position);
    if (position <= this.positionIn(shard)) return;
    this.#furthest[shard] = { position, atMs: storedAtMs, record: undefined };
  }

  /**
   * A floor may rise to this position, because nothing before it is left to read. Returns how far
   * it may: to what is known to be there, so that its loss is noticed (FOOTING-1). A worker that
   * reads and stores nothing learns the end of the log, for the next time.
   */
  passed(position: Position): Position {
    if (this.inDoubt) return 0;
    const furthest = this.positionIn(shardAt(position));
    if (position - furthest > unknownMax) void this.#learnEnd();
    return Math.min(position, furthest);
  }

  #learnEnd(): Promise<void> {
    this.#learning ??= this.#readEnd()
      // It is tried again.
      .catch(() => undefined)
      .finally(() => (this.#learning = undefined));
    return this.#learning;
  }

  async #readEnd(): Promise<void> {
    const generation = this.#generation;
    const { last, log, ends = [last] } = await this.#log.end();
    const found = await Promise.all(ends.map((end) => this.#log.at(end)));
    if (generation !== this.#generation || this.inDoubt || log !== this.#identity) return;
    for (const [shard, end] of ends.entries()) {
      const stored = found[shard];
      if (stored?.isLasting === true) this.read(end, stored.storedAtMs);
    }
  }

  /** The worker stored a record, and had seen this position of its shard before (FOOTING-3). */
  stored(position: Position, record: Uint8Array, before: Position): void {
    if (position <= before) return this.#onDoubt();
    const shard = shardAt(position);
    if (position <= this.positionIn(shard)) return;
    this.#furthest[shard] = { position, atMs: 0, record };
  }

  /**
   * Store turns, and all other entries that a worker writes to journals, on no other log than it
   * knows (FOOTING-4).
   * @throws what `Log.commit` throws, and LogUnavailableError when the log is another one
   */
  commit(commits: readonly TurnCommit[]): Promise<readonly Position[]> {
    return this.inDoubt ? this.#commitSurely(commits) : this.#log.commit(commits);
  }

  /**
   * Store one entry of a journal by itself, and stand on it: also a loss of steps or of a parking
   * has to be noticed (FOOTING-1). Returns where it is.
   * @throws what `commit` throws
   */
  async append(commit: TurnCommit): Promise<Position> {
    const before = this.positionIn(shardOfKey(this.#log, commit.agent.key));
    const [revision = 0] = await this.commit([commit]);
    this.stored(revision, commit.record, before);
    return revision;
  }

  async #commitSurely(commits: readonly TurnCommit[]): Promise<readonly Position[]> {
    try {
      await this.look();
    } catch (cause) {
      throw new LogUnavailableError(
        "The log was away and may be another one: decide again from the journal.",
        { cause },
      );
    }
    return this.#log.commit(commits);
  }

  /**
   * Resolves when the log is the same one. Callers at the same time share one look. @throws what
   * `marks` throws, and LogUnavailableError when everything was forgotten meanwhile
   */
  look(): Promise<void> {
    const looking = this.#looking ?? this.#lookNow().finally(() => (this.#looking = undefined));
    this.#looking = looking;
    return looking;
  }

  async #lookNow(): Promise<void> {
    if ((await this.marks()) !== undefined) return;
    throw new LogUnavailableError("What was known of the log was forgotten meanwhile.");
  }

  /**
   * A mark for each shard, standing for what is handled by now; undefined when everything was
   * forgotten meanwhile. @throws LogMadeAnewError, LogWentBackError, LogUnavailableError
   */
  async marks(): Promise<readonly Mark[] | undefined> {
    const generation = this.#generation;
    const doubts = this.#doubts;
    const before = this.#beforeDoubt;
    const marks = await Promise.all(
      this.#furthest.map((furthest, shard) => {
        const earlier = before?.[shard] ?? nothing;
        return this.#mark(shard, earlier === furthest ? nothing : earlier, generation);
      }),
    );
    if (generation !== this.#generation) return undefined;
    if (doubts === this.#doubts) this.#beforeDoubt = undefined;
    return marks;
  }

  async #mark(shard: number, earlier: Known, generation: number): Promise<Mark> {
    const furthest = this.#furthest[shard] ?? nothing;
    if (earlier.position > 0) await this.#require(earlier, generation);
    const mark = await this.#require(furthest, generation);
    if (generation === this.#generation && this.#furthest[shard] === furthest)
      this.#furthest[shard] = known(mark);
    return mark;
  }

  /**
   * Returns a mark for what was known. When that was removed on purpose, the low-water mark has to
   * do, and the log's end when it was destroyed. The mark means nothing once everything was
   * forgotten.
   */
  async #require({ atMs, position, record }: Known, generation: number): Promise<Mark> {
    const mark = { log: this.#identity, position, storedAtMs: atMs };
    if (position === 0) return mark;
    const found = await this.#log.at(position);
    if (generation !== this.#generation) return mark;
    if (found === undefined) {
      const later = (await removedUnder(this.#log, position)) ?? (await laterMark(this.#log, mark));
      if (later !== undefined) return { ...later, log: this.#identity };
      if (generation !== this.#generation) return mark;
    } else {
      const { payload, storedAtMs } = found;
      const isThere =
        record === undefined ? storedAtMs === atMs : Buffer.compare(payload, record) === 0;
      if (isThere) return { ...mark, storedAtMs };
    }
    throw logChanged(mark, await this.#log.end());
  }
}

/** A record need not be kept. */
function known({ position, storedAtMs }: Mark): Known {
  return { position, atMs: storedAtMs, record: undefined };
}
