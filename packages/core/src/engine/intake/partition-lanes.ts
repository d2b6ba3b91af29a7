/**
 * The readers of one partition: one for all types that are where the log is, and one for each type
 * that is far behind, such as a new one that begins at the beginning, or one that nobody hosted for
 * long.
 *
 * A type that is behind reads at its own pace, so that the others go on. When it has come near to
 * where they are, its reader ends and the common one reads for it too.
 */
import type { Position } from "../../definition/message/input.ts";
import type { IntakeHost, TakenType } from "./partition-intake.ts";
import { PartitionIntake } from "./partition-intake.ts";

export class PartitionLanes {
  readonly partition: number;
  readonly #host: IntakeHost;
  readonly #common: PartitionIntake;
  readonly #behind = new Set<PartitionIntake>();

  constructor(host: IntakeHost, partition: number) {
    this.partition = partition;
    this.#host = host;
    this.#common = new PartitionIntake(host, partition);
  }

  get types(): readonly string[] {
    return this.#all.flatMap((intake) => intake.types);
  }

  floorOf(type: string): Position | undefined {
    return this.#of(type)?.floorOf(type);
  }

  take(types: readonly TakenType[]): void {
    const isEmpty = this.#common.types.length === 0;
    const front = isEmpty ? Math.max(...types.map(({ after }) => after)) : this.#common.lastRead;
    const isNear = ({ after }: TakenType): boolean => front - after <= nearMax;
    const near = types.filter(isNear);
    if (near.length > 0) this.#common.take(near);
    for (const type of types) if (!isNear(type)) this.#takeBehind(type);
  }

  release(type: string): ReturnType<PartitionIntake["release"]> {
    return this.#of(type)?.release(type);
  }

  abandon(): void {
    for (const intake of this.#all) intake.abandon();
    this.#behind.clear();
  }

  hasWaiting(type: string): boolean {
    return this.#of(type)?.hasWaiting(type) === true;
  }

  /** Other topics may be for a type now. */
  refit(type: string): void {
    this.#of(type)?.refit();
  }

  answered(type: string): void {
    this.#of(type)?.answered(type);
  }

  #takeBehind(type: TakenType): void {
    const windowMax = Math.max(windowMin, Math.floor(this.#host.windowMax / behindShare));
    const host = { ...this.#host, windowMax };
    const intake: PartitionIntake = new PartitionIntake(host, this.partition, () =>
      this.#advanced(intake),
    );
    this.#behind.add(intake);
    intake.take([type]);
  }

  #advanced(intake: PartitionIntake): void {
    if (intake.types.length === 0) this.#behind.delete(intake);
    // Without a type the common reader is nowhere.
    if (!this.#behind.has(intake) || this.#common.types.length === 0) return;
    if (this.#common.lastRead - intake.lastRead > nearMax) return;
    this.#behind.delete(intake);
    this.#common.adopt(intake);
  }

  get #all(): readonly PartitionIntake[] {
    return [this.#common, ...this.#behind];
  }

  #of(type: string): PartitionIntake | undefined {
    return this.#all.find((intake) => intake.types.includes(type));
  }
}

/** Positions that the common reader goes back for a type that is taken. */
const nearMax = 1000;

/**
 * A lane that is behind reads with a part of the window, so that it does not push the others aside.
 */
const behindShare = 8;
const windowMin = 8;
