/**
 * What a worker reads of one partition: one reader for all agent types it holds there.
 *
 * A topic's publication is read once and handed to every subscribed type. Each type has its own
 * floor, because types are taken and released one by one; taking a type whose floor is behind
 * starts the reader again from there, and the other types skip what they have already seen.
 *
 * An input holds one credit of the window until all its types have handled it, or left, or wait for
 * something else and have lent their places (I7).
 */
import type { TroupeError } from "../errors/troupe-error.ts";
import type { Input, Position } from "../log/input.ts";
import { inputBytes } from "../log/input.ts";
import type { Log, Reader } from "../log/log.ts";
import type { BacklogShare, WindowPlace } from "../mailbox/delivery.ts";
import type { AgentRuntime } from "./agent-runtime.ts";
import type { Knowledge } from "./knowledge.ts";
import type { LogFooting } from "./log-footing.ts";
import type { TrackedInput } from "./position-tracker.ts";
import type { Lending } from "./lending.ts";
import { PositionTracker } from "./position-tracker.ts";

export interface IntakeHost {
  readonly log: Log;
  /**
   * Inputs of one partition in memory; reaching it stops the reader until some are handled (I7).
   */
  readonly windowMax: number;
  /**
   * Bytes of their payloads; an input that is larger is read when nothing else of the partition is
   * in memory.
   */
  readonly windowBytes: number;
  /** Places of inputs that wait. */
  readonly lending: Lending;
  /** Hand an input to the agent of this type. */
  deliver(runtime: AgentRuntime, input: Input, partition: number, place: WindowPlace): void;
  /** What is to be done with an input. */
  readonly knowledge: Pick<Knowledge, "isFresh" | "verdict" | "waits" | "whenFresh">;
  /** Told of everything that is read. */
  readonly footing: Pick<LogFooting, "read">;
  /** The log is not the one that was read so far. */
  lost(error: TroupeError): void;
  /** Store a dead letter for an input that no agent can have; `done` when it is stored. */
  bury(input: Input, done: () => void): void;
}

/** A type to read for, and the position after which it has to be read. */
export interface TakenType {
  readonly runtime: AgentRuntime;
  readonly after: Position;
}

interface HeldType {
  readonly runtime: AgentRuntime;
  readonly tracker: PositionTracker<TypePlace>;
  /**
   * Keys with an input that this code does not know; what comes after it waits too. The floor stays
   * below the first of them, so nothing else has to be remembered.
   */
  readonly waiting: Set<string>;
  /** What waits until the manifest is read again, by key; each has its room in the window. */
  readonly asking: Map<string, Asking[]>;
}

interface Asking {
  readonly input: Input;
  readonly place: TypePlace;
}

/** Keys of one type in one partition that may wait without holding room in the window (I7). */
const waitingMax = 10_000;

export class PartitionIntake {
  readonly partition: number;
  readonly #host: IntakeHost;
  readonly #onAdvance: () => void;
  readonly #held = new Map<string, HeldType>();
  #reader: Reader | undefined;
  /** Inputs that hold a credit. */
  #open = 0;
  /** What they take in bytes. */
  #openBytes = 0;

  /** @param onAdvance called after each input that was read */
  constructor(host: IntakeHost, partition: number, onAdvance: () => void = () => undefined) {
    this.#host = host;
    this.#onAdvance = onAdvance;
    this.partition = partition;
  }

  /** Nothing is read any more, and what is in memory counts for nothing. */
  abandon(): void {
    this.#held.clear();
    this.#stopReader();
  }

  get types(): readonly string[] {
    return [...this.#held.keys()];
  }

  floorOf(type: string): Position | undefined {
    return this.#held.get(type)?.tracker.floor;
  }

  take(types: readonly TakenType[]): void {
    const lastRead = this.lastRead;
    for (const { after, runtime } of types) {
      const tracker = new PositionTracker<TypePlace>(after);
      this.#held.set(runtime.type, { runtime, tracker, waiting: new Set(), asking: new Map() });
    }
    const isBehind = types.some(({ after }) => after < lastRead);
    if (this.#reader === undefined || isBehind) this.#restart();
  }

  /**
   * Nothing more is read for this type, and what it has in memory holds no credit any more. Returns
   * its tracker, whose floor still rises while turns finish.
   */
  release(type: string): PositionTracker<TypePlace> | undefined {
    const tracker = this.#held.get(type)?.tracker;
    if (tracker === undefined) return undefined;
    this.#held.delete(type);
    if (this.#held.size === 0) this.#stopReader();
    for (const place of tracker.unfinished) place.leave();
    return tracker;
  }

  /** Whether something of this type waits for newer code. */
  hasWaiting(type: string): boolean {
    return (this.#held.get(type)?.waiting.size ?? 0) > 0;
  }

  /** The manifest was read again: decide about what was asked. */
  answered(type: string): void {
    const held = this.#held.get(type);
    if (held === undefined) return;
    const asking = [...held.asking.values()].flat();
    held.asking.clear();
    for (const { input, place } of asking) this.#route(held, input, place);
  }

  /** How many inputs a key that is behind may have in memory: all such keys share one window. */
  get backlogShare(): BacklogShare {
    let keys = 0;
    for (const { tracker } of this.#held.values()) keys += tracker.movedCount;
    const { windowBytes, windowMax } = this.#host;
    return {
      inputs: Math.max(1, Math.floor(windowMax / Math.max(1, keys))),
      bytes: Math.floor(windowBytes / Math.max(1, keys)),
    };
  }

  /** Read for the types of another reader too, which has come at least as far as this one. */
  adopt(other: PartitionIntake): void {
    for (const [type, held] of other.#held) this.#held.set(type, held);
    other.#held.clear();
    other.#stopReader();
    if (this.#reader === undefined) this.#restart();
  }

  /** Up to here every held type has seen all inputs; the next one to read comes after it. */
  get lastRead(): Position {
    return Math.min(...[...this.#held.values()].map(({ tracker }) => tracker.lastRead));
  }

  #restart(): void {
    this.#stopReader();
    const reader = this.#host.log.read({
      source: this.partition,
      after: this.lastRead,
      credit: Math.max(0, this.#host.windowMax - this.#open),
      creditBytes: Math.max(1, this.#host.windowBytes - this.#openBytes),
      onInput: (input) => this.#onInput(input, reader),
      onLost: (error) => this.#host.lost(error),
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
    if (input.address.kind === "topic" && !this.#mayPass(input.address.name)) return;
    this.#host.footing.read(input.position, input.acceptedAtMs);
    const bytes = inputBytes(input.payload.byteLength);
    this.#open += 1;
    this.#openBytes += bytes;
    const credit = new SharedCredit(() => {
      this.#open -= 1;
      this.#openBytes -= bytes;
      this.#reader?.grant(1, bytes);
    });
    for (const held of this.#held.values()) {
      const { runtime, tracker } = held;
      if (input.position <= tracker.lastRead) continue;
      if (this.#host.knowledge.verdict(runtime, input) === "pass") tracker.pass(input.position);
      else {
        const lease = { credit, lending: this.#host.lending, bytes };
        const place = tracker.begin(new TypePlace(this, tracker, input.position, lease));
        this.#route(held, input, place);
      }
    }
    credit.give();
    this.#onAdvance();
  }

  /** To its agent, or to those who wait. */
  #route(held: HeldType, input: Input, place: TypePlace): void {
    const { asking, runtime, waiting } = held;
    const { key } = input.address;
    const before = asking.get(key);
    const verdict = this.#host.knowledge.verdict(runtime, input);
    if (before !== undefined) before.push({ input, place });
    else if (waiting.has(key)) this.#wait(held, key, place);
    else if (verdict === "ask" || verdict === "wait") {
      this.#host.knowledge.waits(runtime, input, verdict);
      if (verdict === "ask") asking.set(key, [{ input, place }]);
      else this.#wait(held, key, place);
    } else if (input.fault === undefined) this.#host.deliver(runtime, input, this.partition, place);
    else this.#host.bury(input, () => place.done());
  }

  /**
   * Whether a publication may be passed over for those who do not subscribe. If not, reading goes
   * on when the manifests were read again (V3).
   */
  #mayPass(topic: string): boolean {
    const { knowledge } = this.#host;
    const isForAll = [...this.#held.values()].every(({ runtime }) =>
      runtime.topics.includes(topic),
    );
    if (isForAll || knowledge.isFresh) return true;
    this.#stopReader();
    knowledge.whenFresh(() => {
      if (this.#reader === undefined && this.#held.size > 0) this.#restart();
    });
    return false;
  }

  /** It waits for code that knows it, or behind something that does (V1). */
  #wait({ waiting }: HeldType, key: string, place: TypePlace): void {
    const isFirst = waiting.size === 0;
    const isRoomLeft = waiting.has(key) || waiting.size < waitingMax;
    waiting.add(key);
    // When there is none, it keeps its room in the window.
    if (!isRoomLeft) return;
    // The first place keeps the floor below all that wait.
    if (isFirst) place.leave();
    else place.done();
  }
}

/** One credit, of an input and its bytes, held by everybody who has an input in hand. */
class SharedCredit {
  readonly #returned: () => void;
  /** The reader is the first. */
  #holders = 1;

  constructor(returned: () => void) {
    this.#returned = returned;
  }

  take(): void {
    this.#holders += 1;
  }

  give(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#returned();
  }
}

/** The place that an input has for one agent type. */
class TypePlace implements TrackedInput, WindowPlace {
  position: Position;
  readonly #intake: PartitionIntake;
  readonly #tracker: PositionTracker<TypePlace>;
  readonly #lease: Lease;
  #lentBytes = 0;
  #state: "in the window" | "lent" | "left" = "in the window";

  constructor(
    intake: PartitionIntake,
    tracker: PositionTracker<TypePlace>,
    position: Position,
    lease: Lease,
  ) {
    this.#intake = intake;
    this.#tracker = tracker;
    this.position = position;
    this.#lease = lease;
    lease.credit.take();
  }

  done(): void {
    this.#tracker.finish(this);
    this.leave();
  }

  standFor(from: Position): BacklogShare {
    this.#tracker.move(this, from);
    // What it stands for is on the log.
    this.lend(0);
    return this.#intake.backlogShare;
  }

  /** It is not in the window any more. */
  leave(): void {
    const { credit, lending } = this.#lease;
    if (this.#state === "in the window") credit.give();
    if (this.#state === "lent") lending.give(this.#lentBytes);
    this.#state = "left";
  }

  lend(bytes: number = this.#lease.bytes): boolean {
    const { credit, lending } = this.#lease;
    if (this.#state !== "in the window") return true;
    if (!lending.take(bytes)) return false;
    this.#state = "lent";
    this.#lentBytes = bytes;
    credit.give();
    return true;
  }
}

interface Lease {
  readonly credit: SharedCredit;
  readonly lending: Lending;
  /** Of the input. */
  readonly bytes: number;
}
