/**
 * A run of the fuzzer: a real server with the shipped users, a worker in a process of its own, a
 * stranger who sends whatever comes to his mind, and neighbours who send what is right.
 *
 * What is right after each round: the worker is alive, every neighbour's message was handled once
 * and in order, every acknowledged message of the stranger's was handled or is one dead letter,
 * what he has no right to was denied, and the worker's memory does not grow.
 */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import type { Troupe } from "@troupe/core";
import { keyToToken, partitionCountDefault, partitionOfToken } from "@troupe/core/log";
import { connect, subjects } from "@troupe/jetstream";

import {
  startGuardedServer,
  type GuardedServer,
} from "../../packages/jetstream/src/guarded-server.ts";
import { oneOf, randomOf, type Random } from "../chaos/seeded-random.ts";
import { Program } from "../e2e/program.ts";
import { neighbour } from "./fuzz-agents.ts";
import { FuzzFindings } from "./fuzz-findings.ts";
import { broadcast, forbiddenMessage, hostileReply, publicMessage } from "./fuzz-message.ts";
import { Publisher } from "./publisher.ts";

export interface FuzzOptions {
  readonly seed: number;
  readonly messages: number;
  readonly onRound?: (summary: FuzzSummary) => void;
}

export interface FuzzSummary {
  readonly seed: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly denied: number;
  readonly handled: number;
  readonly deadLetters: number;
  /** After the first round, and now. */
  readonly heapBytes: readonly [first: number, now: number];
  readonly breaches: readonly string[];
}

const namespace = "fuzz";
const roundSize = 5000;
const neighbourEvery = 10;
const forbiddenEvery = 20;
const heapGrowthBytesMax = 24 * 1024 * 1024;
const neighbours = Array.from({ length: 20 }, (_, i) => `neighbour-${i}`);
const script = new URL("./fuzz-worker.ts", import.meta.url);

/** Ends after the first round with a breach. */
export async function fuzz({ messages, onRound, seed }: FuzzOptions): Promise<FuzzSummary> {
  await using scene = await Scene.start(seed);
  let summary: FuzzSummary;
  do {
    await scene.round(Math.min(roundSize, messages - scene.sent));
    summary = await scene.summary();
    onRound?.(summary);
  } while (scene.sent < messages && summary.breaches.length === 0);
  return summary;
}

class Scene implements AsyncDisposable {
  sent = 0;
  readonly #seed: number;
  readonly #random: Random;
  readonly #guarded: GuardedServer;
  readonly #worker: Program;
  readonly #operator: Troupe;
  readonly #reader: NatsConnection;
  readonly #bus: NatsConnection;
  readonly #publisher: Publisher;
  readonly #findings = new FuzzFindings(namespace);
  readonly #notes = new Map<string, number[]>();
  #forbidden = 0;
  #readUpTo = 0;
  #firstHeapBytes = 0;

  private constructor(seed: number, parts: SceneParts) {
    this.#seed = seed;
    this.#random = randomOf(seed, "fuzz");
    this.#guarded = parts.guarded;
    this.#worker = parts.worker;
    this.#operator = parts.operator;
    this.#reader = parts.reader;
    this.#bus = parts.bus;
    this.#publisher = parts.publisher;
  }

  static async start(seed: number): Promise<Scene> {
    const guarded = await startGuardedServer([namespace]);
    const operator = await connect({ ...guarded.as("operator", namespace), namespace });
    const settings = { ...guarded.as("worker", namespace), namespace };
    const worker = await Program.start(script, settings);
    const reader = await dial(guarded.as("operator", namespace));
    const bus = await dial(guarded.as("worker", namespace));
    const publisher = await Publisher.connect(guarded.as("publisher", namespace), namespace);
    return new Scene(seed, { guarded, worker, operator, reader, bus, publisher });
  }

  /** Sends so many messages, and waits until all of them came to an end. */
  async round(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.sent += 1;
      if (this.sent % neighbourEvery === 0) await this.#note();
      if (this.sent % forbiddenEvery === 0) this.#tryForbidden();
      await this.#publisher.send(publicMessage(this.#random));
    }
    await this.#publisher.settled();
    await this.#settled();
    await this.#read();
  }

  async summary(): Promise<FuzzSummary> {
    const heapBytes = (await this.#worker.ask("heapBytes")) as number;
    if (this.#firstHeapBytes === 0) this.#firstHeapBytes = heapBytes;
    const { acknowledged, denied, refused } = this.#publisher;
    return {
      seed: this.#seed,
      sent: this.sent,
      acknowledged: acknowledged.length,
      refused,
      denied,
      handled: this.#findings.handled,
      deadLetters: this.#findings.letters,
      heapBytes: [this.#firstHeapBytes, heapBytes],
      breaches: [
        ...this.#findings.breaches(acknowledged),
        ...this.#neighbourBreaches(),
        ...(denied === this.#forbidden ? [] : [`${this.#forbidden} forbidden, ${denied} denied`]),
        ...(heapBytes - this.#firstHeapBytes <= heapGrowthBytesMax ? [] : ["memory grows"]),
      ],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
    await this.#operator.close();
    await Promise.all([this.#reader.close(), this.#bus.close(), this.#publisher.close()]);
    await this.#guarded[Symbol.asyncDispose]();
  }

  async #note(): Promise<void> {
    const key = oneOf(this.#random, neighbours) ?? "neighbour-0";
    const notes = this.#notes.get(key) ?? [];
    const n = notes.length;
    this.#notes.set(key, [...notes, n]);
    const payload = Buffer.from(JSON.stringify({ note: { n } }));
    await this.#publisher.send({ subject: `agent.neighbour.${key}`, headers: undefined, payload });
  }

  #tryForbidden(): void {
    this.#forbidden += 1;
    this.#publisher.sendOnly(forbiddenMessage(this.#random));
    this.#publisher.sendOnly(publicMessage(this.#random), hostileReply(this.#random));
    const { payload, subject } = broadcast(this.#random);
    this.#bus.publish(`${namespace}.${subject}`, payload);
  }

  /**
   * Waits until everything that was acknowledged is on the log, and every partition's floor is past
   * it: what is below a floor is in journals or dead letters.
   */
  async #settled(): Promise<void> {
    const { unroutable, stream, taken } = subjects(namespace, partitionCountDefault);
    const lastOf = async (subject: string): Promise<{ seq: number; data: string } | undefined> => {
      const request = JSON.stringify({ last_by_subj: subject });
      const reply = await this.#reader.request(`$JS.API.STREAM.MSG.GET.${stream}`, request);
      return reply.json<{ readonly message?: { seq: number; data: string } }>().message;
    };
    const lastTaken = async (): Promise<number> => {
      const marker = Buffer.from((await lastOf(taken))?.data ?? "", "base64").toString();
      return (JSON.parse(marker || "{}") as { readonly sequence?: number }).sequence ?? 0;
    };
    const last = Math.max(0, ...this.#publisher.acknowledged.slice(-1000));
    while ((await lastTaken()) < last) await this.#isAlive();
    const ends = await this.#partitionEnds();
    ends.set("~unroutable/unroutable", (await lastOf(unroutable))?.seq ?? 0);
    for (let left = ends.size; left > 0;) {
      await this.#isAlive();
      for (const { partition, position, type } of await this.#operator.log.floors()) {
        const end = ends.get(`${type}/${partition}`);
        if (end !== undefined && position >= end) ends.delete(`${type}/${partition}`);
      }
      left = ends.size;
    }
  }

  /** A message of our own at the end of each partition, so that its floor comes past all others. */
  async #partitionEnds(): Promise<Map<string, number>> {
    const { log } = this.#operator;
    const ends = new Map<string, number>();
    const keys = new Map<number, string>();
    for (let i = 0; keys.size < log.partitions; i++) {
      keys.set(partitionOfToken(keyToToken(`end-${i}`), log.partitions), `end-${i}`);
    }
    for (const [partition, key] of keys) {
      const address = { kind: "agent", name: neighbour.type, key } as const;
      const payload = Buffer.from('{"note":{"n":0}}');
      const { position } = await log.accept({ address, metadata: {}, payload });
      for (const type of ["target", "neighbour"]) ends.set(`${type}/${partition}`, position);
    }
    return ends;
  }

  /** @throws Error when the worker is gone */
  #isAlive(): Promise<unknown> {
    return this.#worker.ask("faults");
  }

  async #read(): Promise<void> {
    const { stream } = subjects(namespace, partitionCountDefault);
    const manager = await jetstreamManager(this.#reader, { checkAPI: false });
    const { state } = await manager.streams.info(stream);
    const consumer = await jetstream(this.#reader).consumers.get(stream, {
      opt_start_seq: this.#readUpTo + 1,
    });
    for await (const message of await consumer.consume()) {
      this.#findings.add(message);
      if (message.seq >= state.last_seq) break;
    }
    this.#readUpTo = state.last_seq;
  }

  #neighbourBreaches(): readonly string[] {
    return [...this.#notes].flatMap(([key, expected]) => {
      const notes = this.#findings.notesOf(key);
      return JSON.stringify(notes) === JSON.stringify(expected)
        ? []
        : [`${key} noted ${notes.length} of ${expected.length}, or in another order`];
    });
  }
}

interface SceneParts {
  readonly guarded: GuardedServer;
  readonly worker: Program;
  readonly operator: Troupe;
  readonly reader: NatsConnection;
  readonly bus: NatsConnection;
  readonly publisher: Publisher;
}
