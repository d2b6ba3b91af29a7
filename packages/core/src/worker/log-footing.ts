/**
 * Whether the log is still the one that a worker has read and written: not made anew, not restored
 * from a backup, its tail not lost (I16).
 *
 *  G1 A worker remembers the furthest thing that it read or stored. As long as that lies on the log, everything the
 *     worker knows does: what it knows of lies before it.
 *  G2 That is looked at before each floor is saved, whenever the connection comes back, and every interval. So a floor
 *     never stands on something that is gone, and what goes wrong while a worker runs is noticed within an interval.
 *     An agent that is activated after the log was away, or tried again, waits for that look: on a journal that lost its
 *     tail it would go on behind messages whose turns are gone.
 *  G3 Between two looks nothing of a changed log can hide what was lost: whoever stores something after having seen a
 *     position gets a later one. An earlier one means that the log went back.
 */
import type { Position } from "../log/input.ts";
import type { Log } from "../log/log.ts";
import type { Mark } from "../log/mark.ts";
import { logChanged } from "../log/mark.ts";

/** What was seen at the furthest position: when it was stored, or the record that we stored. */
type Seen = { readonly atMs: number } | { readonly record: Uint8Array };

export class LogFooting {
  readonly #log: Pick<Log, "at" | "end">;
  readonly #onDoubt: () => void;
  #identity = "";
  #position: Position = 0;
  #seen: Seen = { atMs: 0 };
  #inDoubt = false;
  #generation = 0;

  /** @param onDoubt the log may have changed: look at once */
  constructor(log: Pick<Log, "at" | "end">, onDoubt: () => void) {
    this.#log = log;
    this.#onDoubt = onDoubt;
  }

  /** Grows when everything that was known is forgotten. */
  get generation(): number {
    return this.#generation;
  }

  /** The furthest position that is known. */
  get position(): Position {
    return this.#position;
  }

  /** The log was away, and nobody has looked since whether it is still the same. */
  get inDoubt(): boolean {
    return this.#inDoubt;
  }

  /** The log is away. */
  doubt(): void {
    this.#inDoubt = true;
  }

  /** Start on the log as it is now. @throws LogUnavailableError */
  async begin(): Promise<void> {
    const generation = ++this.#generation;
    const { log } = await this.#log.end();
    if (generation !== this.#generation) return;
    this.#identity = log;
    this.#inDoubt = false;
    this.#position = 0;
    this.#seen = { atMs: 0 };
  }

  /** Something was read. */
  read(position: Position, storedAtMs: number): void {
    if (position <= this.#position) return;
    this.#position = position;
    this.#seen = { atMs: storedAtMs };
  }

  /** We stored a record, and had seen this position before (G3). */
  stored(position: Position, record: Uint8Array, before: Position): void {
    if (position <= before) return this.#onDoubt();
    if (position <= this.#position) return;
    this.#position = position;
    this.#seen = { record };
  }

  /**
   * A mark for what is handled by now; undefined when everything was forgotten meanwhile. @throws
   * LogMadeAnewError, LogWentBackError, LogUnavailableError
   */
  async mark(): Promise<Mark | undefined> {
    const generation = this.#generation;
    const position = this.#position;
    const seen = this.#seen;
    if (position === 0) return { log: this.#identity, position, storedAtMs: 0 };
    const found = await this.#log.at(position);
    if (generation !== this.#generation) return undefined;
    const isThere =
      found !== undefined &&
      ("atMs" in seen
        ? found.storedAtMs === seen.atMs
        : Buffer.compare(found.payload, seen.record) === 0);
    if (found === undefined || !isThere) throw await this.#changed(position, seen);
    this.#inDoubt = false;
    // The record need not be kept.
    if (this.#position === position) this.#seen = { atMs: found.storedAtMs };
    return { log: this.#identity, position, storedAtMs: found.storedAtMs };
  }

  async #changed(position: Position, seen: Seen): Promise<Error> {
    const storedAtMs = "atMs" in seen ? seen.atMs : 0;
    return logChanged({ log: this.#identity, position, storedAtMs }, await this.#log.end());
  }
}
