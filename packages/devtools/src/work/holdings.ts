/** The share of each agent type that this worker holds, from the inspection feed. */
import type { InspectionEvent } from "@troupe/core";

export class Holdings {
  readonly #counts = new Map<string, Set<number>>();
  readonly #partitions: number;

  constructor(types: readonly string[], partitions: number) {
    this.#partitions = partitions;
    for (const type of types) this.#counts.set(type, new Set());
  }

  /** Whether the event changed anything. */
  hear(event: InspectionEvent): boolean {
    if (event.kind !== "partition.taken" && event.kind !== "partition.released") return false;
    const held = this.#counts.get(event.type);
    if (held === undefined || event.partition === "unroutable") return false;
    if (event.kind === "partition.taken") held.add(event.partition);
    else held.delete(event.partition);
    return true;
  }

  /** `account 16/16, router 8/16` */
  toString(): string {
    return [...this.#counts]
      .map(([type, held]) => `${type} ${held.size}/${this.#partitions}`)
      .join(", ");
  }
}
