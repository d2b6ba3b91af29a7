/**
 * Reading one partition for a worker: one reader for all agent types it holds there.
 *
 * A topic's publication is read once and handed to every subscribed type. Each type has its own
 * floor, because types are taken and released one by one; taking a type whose floor is behind
 * starts the reader again from there, and the other types skip what they have already seen.
 *
 *  INTAKE-1 The log is asked for what is addressed to the held types, and to the topics that any
 *     version of their code subscribes to, as far as is known (interest.ts). It may hand over more,
 *     so everything is looked at.
 *  INTAKE-2 Inputs that it leaves out are passed over. So nothing is handled, and no floor moves,
 *     on a manifest that is not fresh (KNOW-3 in knowledge.ts): newer code may have added a topic.
 *     When one was added, reading starts again.
 *  INTAKE-3 Where the log says that nothing was left out, a floor follows only as far as the worker
 *     knows the log (FOOTING-1 in log-footing.ts): else a log that went back would not be noticed,
 *     and the inputs it stores there next be skipped.
 */
import type { TroupeError } from "../../errors/troupe-error.ts";
import type { Input, Position } from "../../definition/message/input.ts";
import { inputBytes } from "../../definition/message/input.ts";
import type { Log, Reader } from "../../log/log.ts";
import type { BacklogShare, WindowPlace } from "../runtime/delivery.ts";
import type { AgentRuntime } from "../runtime/agent-runtime.ts";
import type { Knowledge } from "../runtime/knowledge.ts";
import type { LogFooting } from "../../log/log-footing.ts";
import type { Lending } from "./lending.ts";
import { PositionTracker } from "../runtime/position-tracker.ts";
import { Interest } from "../runtime/interest.ts";
import { SharedCredit, TypePlace } from "./type-place.ts";

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
  /** Knowledge by which the fate of an input is decided. */
  readonly knowledge: Pick<Knowledge, "isFresh" | "topicsOf" | "routingOf" | "waits" | "whenFresh">;
  /** Told of everything that is read. */
  readonly footing: Pick<LogFooting, "passed" | "read">;
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
   * Keys with an input that this code does not know; later ones wait too. The floor stays below the
   * first of them, so nothing else has to be remembered.
   */
  readonly waiting: Set<string>;
  /** Inputs that wait until the manifest is read again, by key; each has its room in the window. */
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
  /** The interest that the reader was given. */
  #interest: Interest | undefined;
  /** Inputs that came since the manifests are not fresh any more; each still holds its credit. */
  #unsure: Input[] = [];
  /** Inputs that hold a credit. */
  #open = 0;
  /** Bytes of the inputs that hold credit. */
  #openBytes = 0;

  /** @param onAdvance called after each input that was read */
  constructor(host: IntakeHost, partition: number, onAdvance: () => void = () => undefined) {
    this.#host = host;
    this.#onAdvance = onAdvance;
    this.partition = partition;
  }

  /** Stops reading, and forgets what is in memory. */
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
    if (isBehind) this.#restart();
    else this.refit();
  }

  /** The held types, or what is known of them, may have changed: read for all of them. */
  refit(): void {
    if (this.#held.size === 0) return;
    if (this.#reader === undefined || this.#interest?.covers(this.#wanted) !== true)
      this.#restart();
  }

  get #wanted(): Interest {
    return Interest.of([...this.#held.values()], this.#host.knowledge);
  }

  /**
   * Stops reading for this type, whose inputs in memory hold no credit any more. Returns its
   * tracker, whose floor still rises while turns finish.
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

  /**
   * Share of the window that a key which is behind may have in memory: all such keys have one
   * window together.
   */
  get backlogShare(): BacklogShare {
    let keys = 0;
    for (const { tracker } of this.#held.values()) keys += tracker.movedCount;
    const { windowBytes, windowMax } = this.#host;
    return {
      inputs: Math.max(1, Math.floor(windowMax / Math.max(1, keys))),
      bytes: Math.floor(windowBytes / Math.max(1, keys)),
    };
  }

  /** Read for the types of another reader too, from where that one is if it is behind. */
  adopt(other: PartitionIntake): void {
    const { lastRead } = this;
    for (const [type, held] of other.#held) this.#held.set(type, held);
    other.#held.clear();
    other.#stopReader();
    if (this.lastRead < lastRead) this.#restart();
    else this.refit();
  }

  /** Up to here every held type has seen all inputs; the next one to read comes after it. */
  get lastRead(): Position {
    return Math.min(...[...this.#held.values()].map(({ tracker }) => tracker.lastRead));
  }

  #restart(): void {
    this.#stopReader();
    const interest = this.#wanted;
    this.#interest = interest;
    const reader = this.#host.log.read({
      source: this.partition,
      types: interest.types,
      topics: interest.topics,
      after: this.lastRead,
      credit: Math.max(0, this.#host.windowMax - this.#open),
      creditBytes: Math.max(1, this.#host.windowBytes - this.#openBytes),
      onInput: (input) => this.#onInput(input, reader),
      onPassed: (position) => this.#onPassed(position, reader),
      onLost: (error) => this.#host.lost(error),
    });
    this.#reader = reader;
  }

  #stopReader(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#unsure = [];
    // A reader that cannot say goodbye is dropped by the server after a while; it hands over
    // nothing any more.
    reader?.stop().catch(() => undefined);
  }

  #onInput(input: Input, reader: Reader): void {
    if (reader !== this.#reader) return;
    if (this.#unsure.length > 0) this.#unsure.push(input);
    else if (this.#host.knowledge.isFresh) this.#handOn(input);
    else this.#waitUntilFresh([input]);
  }

  /**
   * Keeps inputs until the manifests are fresh: others that the log left out may not be passed over
   * yet (INTAKE-2).
   */
  #waitUntilFresh(inputs: Input[]): void {
    this.#unsure = inputs;
    this.#host.knowledge.whenFresh(() => {
      // When a topic was added meanwhile, they are read again among others.
      if (inputs !== this.#unsure) return;
      this.#unsure = [];
      const reader = this.#reader;
      for (const [index, input] of inputs.entries()) {
        // Another reader brings the rest.
        if (reader !== this.#reader) return;
        if (!this.#host.knowledge.isFresh) return this.#waitUntilFresh(inputs.slice(index));
        this.#handOn(input);
      }
    });
  }

  #handOn(input: Input): void {
    this.#host.footing.read(input.position, input.acceptedAtMs);
    const bytes = inputBytes(input.payload.byteLength);
    this.#open += 1;
    this.#openBytes += bytes;
    const credit = new SharedCredit(() => {
      this.#open -= 1;
      this.#openBytes -= bytes;
      this.#reader?.grant(1, bytes);
    });
    let isForNobody = true;
    for (const held of this.#held.values()) {
      const { runtime, tracker } = held;
      if (input.position <= tracker.lastRead) continue;
      if (this.#host.knowledge.routingOf(runtime, input) === "pass") tracker.pass(input.position);
      else {
        isForNobody = false;
        const lease = { credit, lending: this.#host.lending, bytes };
        const place = tracker.begin(new TypePlace(this, tracker, input.position, lease));
        this.#route(held, input, place);
      }
    }
    credit.give();
    if (isForNobody) this.#narrow(input);
    this.#onAdvance();
  }

  /** A type was released, and the log still brings what is for it. */
  #narrow(input: Input): void {
    if (this.#interest?.has(input.address) !== true) return;
    if (!this.#wanted.has(input.address)) this.#restart();
  }

  /** There is nothing for the held types up to here, besides what was handed over (INTAKE-3). */
  #onPassed(position: Position, reader: Reader): void {
    const isSure = this.#unsure.length === 0 && this.#host.knowledge.isFresh;
    if (reader !== this.#reader || !isSure) return;
    const upTo = this.#host.footing.passed(position);
    for (const { tracker } of this.#held.values()) if (upTo > tracker.lastRead) tracker.pass(upTo);
    this.#onAdvance();
  }

  /** Hands an input to its agent, or to those that wait. */
  #route(held: HeldType, input: Input, place: TypePlace): void {
    const { asking, runtime, waiting } = held;
    const { key } = input.address;
    const before = asking.get(key);
    const routing = this.#host.knowledge.routingOf(runtime, input);
    if (before !== undefined) before.push({ input, place });
    else if (waiting.has(key)) this.#wait(held, key, place);
    else if (routing === "ask" || routing === "wait") {
      this.#host.knowledge.waits(runtime, input, routing);
      if (routing === "ask") asking.set(key, [{ input, place }]);
      else this.#wait(held, key, place);
    } else if (input.fault === undefined) this.#host.deliver(runtime, input, this.partition, place);
    else this.#host.bury(input, () => place.done());
  }

  /** Leaves an input waiting for code that knows it, or behind another that does (KNOW-1). */
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
