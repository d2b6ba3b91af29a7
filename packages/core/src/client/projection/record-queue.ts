/**
 * Between the log and the transactions: records read ahead, bounded in number and bytes (I7). A
 * full queue holds up the reading.
 */
import type { Clock } from "../../clock/clock.ts";
import { Changes } from "./changes.ts";
import type { ProjectedRecord } from "./projected-record.ts";
import type { ProjectSettings } from "./projection-settings.ts";

export class RecordQueue {
  readonly #settings: ProjectSettings;
  readonly #clock: Clock;
  readonly #changes = new Changes();
  #records: ProjectedRecord[] = [];
  #bytes = 0;
  #ended = false;
  #failure: Error | undefined;

  constructor(settings: ProjectSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  get size(): number {
    return this.#records.length;
  }

  /** Takes the record; resolves when there is room for another one, or nobody wants more. */
  async push(record: ProjectedRecord): Promise<void> {
    if (this.#ended) return;
    this.#records.push(record);
    this.#bytes += record.bytes;
    this.#changes.tell();
    await this.#changes.until(() => this.#ended || !this.#isFull());
  }

  /** No more records come; those that are there are still taken, unless there is a failure. */
  end(failure?: Error): void {
    this.#ended = true;
    this.#failure ??= failure;
    this.#changes.tell();
  }

  /**
   * The next records: as many as are there and fit in a batch, after a short wait for more. Empty
   * at the end. @throws what the queue ended with
   */
  async take(): Promise<readonly ProjectedRecord[]> {
    const { batchSizeMax, batchWaitMs } = this.#settings;
    await this.#changes.until(() => this.#ended || this.size > 0);
    if (batchWaitMs > 0) await this.#gather();
    if (this.#failure !== undefined) throw this.#failure;
    const taken = this.#records.slice(0, batchSizeMax);
    this.#records = this.#records.slice(batchSizeMax);
    for (const { bytes } of taken) this.#bytes -= bytes;
    this.#changes.tell();
    return taken;
  }

  /** Resolves when a batch is full, or has waited long enough. */
  async #gather(): Promise<void> {
    const { batchSizeMax, batchWaitMs } = this.#settings;
    let isLate = false;
    const cancel = this.#clock.after(batchWaitMs, () => {
      isLate = true;
      this.#changes.tell();
    });
    const isEnough = (): boolean => this.#ended || this.size >= batchSizeMax || this.#isFull();
    await this.#changes.until(() => isLate || isEnough());
    cancel();
  }

  #isFull(): boolean {
    const { readAheadMax, readAheadBytesMax } = this.#settings;
    return this.size >= readAheadMax || this.#bytes >= readAheadBytesMax;
  }
}
