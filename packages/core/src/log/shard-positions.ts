/**
 * Positions of a log of several shards, and the places in its shards that they name (SHARD-4 in
 * sharded-log.ts).
 */
import type { Input, Position } from "../definition/message/input.ts";
import type { JournalEntry, LogEntry } from "./log.ts";
import { shardAt, shardSpan } from "./shard.ts";

export class ShardPositions {
  readonly #origin: Position;
  readonly #shards: number;

  constructor(origin: Position, shards: number) {
    this.#origin = origin;
    this.#shards = shards;
  }

  /** Whether the shard's places are the log's positions. */
  isPlain(shard: number): boolean {
    return shard === 0;
  }

  /** The log's position of a place in a shard. */
  global(shard: number, local: Position): Position {
    return local <= this.#origin ? local : local + shard * shardSpan;
  }

  /** The place in its shard. */
  local(position: Position): Position {
    return position % shardSpan;
  }

  /** Places at which a position may be: in one shard, or in any of them up to the origin. */
  places(position: Position): readonly (readonly [shard: number, local: Position])[] {
    const shard = shardAt(position);
    if (!(position > 0) || shard >= this.#shards) return [];
    if (position > this.#origin) return [[shard, this.local(position)]];
    return Array.from({ length: this.#shards }, (_, each) => [each, position] as const);
  }

  /** The place in this shard after which everything is that is after the position. */
  after(shard: number, position: Position): Position {
    if (position <= this.#origin) return position;
    return shardAt(position) === shard ? this.local(position) : this.#origin;
  }

  /** The place in this shard before which everything is that is before the position. */
  before(shard: number, position: Position): Position {
    if (position <= this.#origin) return position;
    const isHere = shardAt(position) === shard;
    return isHere ? this.local(position) : Number.MAX_SAFE_INTEGER;
  }

  /** The last place in this shard whose position is at most this one. */
  upTo(shard: number, position: Position): Position {
    return position === Infinity ? position : this.after(shard, position);
  }

  /** A place in this shard before which everything is surely before the position. */
  surelyBefore(shard: number, position: Position): Position {
    return position <= this.#origin ? position : this.after(shard, position - 1) + 1;
  }

  /**
   * The first place in this shard whose position is at least this one; undefined when all positions
   * of the shard are below it.
   */
  from(shard: number, position: Position): Position | undefined {
    if (position <= this.#origin) return position;
    const named = shardAt(position);
    if (named > shard) return undefined;
    return named === shard ? this.local(position) : this.#origin + 1;
  }

  input(shard: number, input: Input): Input {
    if (this.isPlain(shard) || input.position <= this.#origin) return input;
    return new PlacedInput(input, this.global(shard, input.position));
  }

  entry(shard: number, entry: JournalEntry): JournalEntry {
    return { ...entry, revision: this.global(shard, entry.revision) };
  }

  logEntry(shard: number, entry: LogEntry): LogEntry {
    if (this.isPlain(shard)) return entry;
    if (entry.kind === "input") return { ...entry, input: this.input(shard, entry.input) };
    if (entry.kind === "turn") return { ...entry, entry: this.entry(shard, entry.entry) };
    return { ...entry, position: this.global(shard, entry.position) };
  }
}

/** An input under its position in the whole log; its metadata may be decoded late. */
class PlacedInput implements Input {
  readonly position: Position;
  readonly #input: Input;

  constructor(input: Input, position: Position) {
    this.#input = input;
    this.position = position;
  }

  get address(): Input["address"] {
    return this.#input.address;
  }

  get metadata(): Input["metadata"] {
    return this.#input.metadata;
  }

  get payload(): Input["payload"] {
    return this.#input.payload;
  }

  get acceptedAtMs(): Input["acceptedAtMs"] {
    return this.#input.acceptedAtMs;
  }

  get fault(): Input["fault"] {
    return this.#input.fault;
  }
}
