/**
 * What a worker reads of one partition: one reader for all agent types it holds there.
 *
 * A topic's publication is read once and handed to every subscribed type. Each type has its own
 * floor, because types are taken and released one by one; taking a type whose floor is behind
 * starts the reader again from there, and the other types skip what they have already seen.
 */
import type { Input, Position } from "../log/input.ts";
import type { Log, Reader } from "../log/log.ts";
import type { AgentRuntime } from "./agent-runtime.ts";
import { PositionTracker } from "./position-tracker.ts";

export interface IntakeHost {
  readonly log: Log;
  /**
   * Inputs of one partition in memory; reaching it stops the reader until some are handled (I7).
   */
  readonly windowMax: number;
  /** Hand an input to the agent of this type; `done` when it is in the journal or a dead letter. */
  deliver(runtime: AgentRuntime, input: Input, partition: number, done: () => void): void;
  /** Store a dead letter for an input that no agent can have; `done` when it is stored. */
  bury(input: Input, done: () => void): void;
}

interface HeldType {
  readonly runtime: AgentRuntime;
  readonly tracker: PositionTracker;
}

export class PartitionIntake {
  readonly partition: number;
  readonly #host: IntakeHost;
  readonly #held = new Map<string, HeldType>();
  #reader: Reader | undefined;

  constructor(host: IntakeHost, partition: number) {
    this.#host = host;
    this.partition = partition;
  }

  get types(): readonly string[] {
    return [...this.#held.keys()];
  }

  floorOf(type: string): Position | undefined {
    return this.#held.get(type)?.tracker.floor;
  }

  take(runtime: AgentRuntime, after: Position): void {
    this.#held.set(runtime.type, { runtime, tracker: new PositionTracker(after) });
    this.#restart();
  }

  /**
   * Nothing more is read for this type. Returns its tracker, whose floor still rises while turns
   * finish.
   */
  release(type: string): PositionTracker | undefined {
    const tracker = this.#held.get(type)?.tracker;
    if (!this.#held.delete(type)) return undefined;
    // What was queued for this type is dropped and returns no credit, so the others get a reader
    // with all of it.
    if (this.#held.size === 0) this.#stopReader();
    else this.#restart();
    return tracker;
  }

  #restart(): void {
    this.#stopReader();
    const after = Math.min(...[...this.#held.values()].map(({ tracker }) => tracker.lastRead));
    const reader = this.#host.log.read({
      source: this.partition,
      after,
      credit: this.#host.windowMax,
      onInput: (input) => this.#onInput(input, reader),
    });
    this.#reader = reader;
  }

  #stopReader(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    // A reader that cannot say goodbye is dropped by the server after a while; it hands over
    // nothing any more.
    reader?.stop().catch(() => undefined);
  }

  #onInput(input: Input, reader: Reader): void {
    if (reader !== this.#reader) return;
    let open = 1;
    const close = (): void => {
      open -= 1;
      if (open === 0) reader.grant(1);
    };
    for (const { runtime, tracker } of this.#held.values()) {
      if (input.position <= tracker.lastRead) continue;
      if (!concerns(runtime, input)) {
        tracker.pass(input.position);
        continue;
      }
      open += 1;
      const tracked = tracker.begin(input.position);
      const done = (): void => {
        tracker.finish(tracked);
        close();
      };
      if (input.fault === undefined) this.#host.deliver(runtime, input, this.partition, done);
      else this.#host.bury(input, done);
    }
    close();
  }
}

function concerns(runtime: AgentRuntime, { address }: Input): boolean {
  return address.kind === "agent"
    ? address.name === runtime.type
    : Object.hasOwn(runtime.definition.subscriptions, address.name);
}
