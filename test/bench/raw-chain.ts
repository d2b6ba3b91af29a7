/**
 * The yardstick for the chain of agents: loops written by hand on the raw client, in which a
 * turn sends a message to the next agent. Each turn decodes, folds, appends a record under the
 * expected sequence of its journal, and sends. Nothing else is done: an error ends it.
 *
 * - `batches` stores the record and the message in one atomic batch, up to 1000 messages of many
 *   agents in one, four on their way.
 * - `records` puts the message into the record, publishes that alone, and publishes the message
 *   when the record is stored, only while it is still the journal's last. The agent is free for its
 *   next message when both are stored.
 */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { JsMsg } from "@nats-io/jetstream";
import { headers, nanos } from "@nats-io/nats-core";
import type { MsgHdrs, NatsConnection } from "@nats-io/nats-core";
import { decodePayload, encodePayload } from "@troupe/core/log";

import { traceparent } from "./ledger.ts";

export type RawChainCommit = "batches" | "records";

export interface Hop {
  /** Number of the token, among those that are under way at once. */
  readonly token: number;
  /** Number of the agent in the chain, from 0. */
  readonly hop: number;
  readonly text: string;
}

export interface RawChain {
  /** Store the message for the first agent; resolves when it is stored. */
  begin(token: number): Promise<void>;
  stop(): Promise<void>;
}

export interface RawChainOptions {
  readonly commit: RawChainCommit;
  readonly length: number;
  readonly partitions: number;
  readonly text: string;
  /** The last agent of a chain handles its message. */
  readonly ended: (token: number) => void;
}

/** On a plain stream of its own, which is gone when it stops. */
export async function startRawChain(
  connection: NatsConnection,
  options: RawChainOptions,
): Promise<RawChain> {
  const loop = new Loop(connection, options);
  await loop.start();
  return loop;
}

interface RawAgent {
  readonly name: string;
  revision: number;
  turns: number;
  busy: boolean;
  readonly queue: JsMsg[];
}

interface RawTurn {
  readonly agent: RawAgent;
  readonly record: Uint8Array;
  /** Message to the next agent; none for the last of a chain. */
  readonly sent: RawMessage | undefined;
}

interface RawMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly id: string;
}

type OnStored = (sequence: number) => void;

const expected = "Nats-Expected-Last-Subject-Sequence";
const stream = "chain";

class Loop implements RawChain {
  readonly #connection: NatsConnection;
  readonly #options: RawChainOptions;
  readonly #agents = new Map<string, RawAgent>();
  readonly #waiters = new Map<string, OnStored>();
  readonly #inbox = `_INBOX.chain.${process.hrtime.bigint().toString(36)}`;
  readonly #reading: { close(): Promise<unknown> }[] = [];
  #queue: RawTurn[] = [];
  #flying = 0;
  #ids = 0;
  #scheduled = false;

  constructor(connection: NatsConnection, options: RawChainOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#connection.subscribe(`${this.#inbox}.*`, {
      callback: (_error, message) => {
        const waiter = this.#waiters.get(message.subject);
        this.#waiters.delete(message.subject);
        const ack = message.json<{ readonly seq: number; readonly error?: unknown }>();
        if (ack.error !== undefined) throw new Error(JSON.stringify(ack.error));
        waiter?.(ack.seq);
      },
    });
    const manager = await jetstreamManager(this.#connection);
    await manager.streams.add({ name: stream, subjects: [`${stream}.>`], allow_atomic: true });
    for (let partition = 0; partition < this.#options.partitions; partition++) {
      const { name } = await manager.consumers.add(stream, {
        ack_policy: "none",
        filter_subject: `${stream}.in.${partition}.>`,
        mem_storage: true,
        inactive_threshold: nanos(60_000),
      });
      const consumer = await jetstream(this.#connection).consumers.get(stream, name);
      this.#reading.push(
        await consumer.consume({ max_messages: 1000, callback: (message) => this.#take(message) }),
      );
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#reading.map((messages) => messages.close()));
    const manager = await jetstreamManager(this.#connection);
    await manager.streams.delete(stream);
  }

  begin(token: number): Promise<void> {
    const { text } = this.#options;
    const message = this.#message({ token, hop: 0, text }, `begin-${this.#ids++}`);
    return new Promise((resolve) => {
      const reply = this.#await(() => resolve());
      this.#connection.publish(message.subject, message.payload, {
        headers: headOf(message),
        reply,
      });
    });
  }

  #message(hop: Hop, id: string): RawMessage {
    const name = `${hop.token}-${hop.hop}`;
    const partition = (hop.token * this.#options.length + hop.hop) % this.#options.partitions;
    return { subject: `${stream}.in.${partition}.${name}`, payload: encodePayload(hop), id };
  }

  #take(message: JsMsg): void {
    const name = message.subject.slice(message.subject.lastIndexOf(".") + 1);
    let agent = this.#agents.get(name);
    if (agent === undefined) {
      agent = { name, revision: 0, turns: 0, busy: false, queue: [] };
      this.#agents.set(name, agent);
    }
    if (agent.busy) agent.queue.push(message);
    else this.#run(agent, message);
  }

  #run(agent: RawAgent, message: JsMsg): void {
    const { commit, ended, length } = this.#options;
    agent.busy = true;
    agent.turns += 1;
    const hop = decodePayload(message.data, "application/msgpack") as Hop;
    const isLast = hop.hop === length - 1;
    const next = { ...hop, hop: hop.hop + 1 };
    const sent = isLast ? undefined : this.#message(next, `hop@${message.seq}:0`);
    const record = recordOf(agent, message, commit === "records" ? sent : undefined);
    this.#queue.push({ agent, record, sent });
    if (isLast) ended(hop.token);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#options.commit === "batches") this.#flushBatches();
      else for (const turn of this.#queue.splice(0)) this.#publishRecord(turn);
    });
  }

  #publishRecord({ agent, record, sent }: RawTurn): void {
    const journal = `${stream}.journal.${agent.name}`;
    const head = headers();
    head.set(expected, String(agent.revision));
    const reply = this.#await((revision) => {
      agent.revision = revision;
      if (sent === undefined) return this.#settle(agent);
      const fenced = headOf(sent);
      fenced.set(expected, String(revision));
      fenced.set(`${expected}-Subject`, journal);
      const stored = this.#await(() => this.#settle(agent));
      this.#connection.publish(sent.subject, sent.payload, { headers: fenced, reply: stored });
    });
    this.#connection.publish(journal, record, { headers: head, reply });
  }

  #flushBatches(): void {
    while (this.#queue.length > 0 && this.#flying < 4) {
      if (this.#flying > 0 && this.#queue.length < 100) return;
      const turns = this.#queue.splice(0, 500);
      this.#flying += 1;
      this.#publishBatch(turns);
    }
  }

  #publishBatch(turns: readonly RawTurn[]): void {
    const batch = `${this.#inbox}-${this.#ids++}`;
    const messages = turns.flatMap(({ agent, record, sent }) => {
      const own = { agent, subject: `${stream}.journal.${agent.name}`, payload: record };
      return sent === undefined ? [own] : [own, { ...sent, agent: undefined }];
    });
    for (const [index, message] of messages.entries()) {
      const head = "id" in message ? headOf(message) : headers();
      head.set("Nats-Batch-Id", batch);
      head.set("Nats-Batch-Sequence", String(index + 1));
      if (message.agent !== undefined) head.set(expected, String(message.agent.revision));
      if (index < messages.length - 1) {
        this.#connection.publish(message.subject, message.payload, { headers: head });
        continue;
      }
      head.set("Nats-Batch-Commit", "1");
      const reply = this.#await((last) => {
        this.#flying -= 1;
        for (const [at, { agent }] of messages.entries()) {
          if (agent === undefined) continue;
          agent.revision = last - messages.length + 1 + at;
          this.#settle(agent);
        }
        this.#schedule();
      });
      this.#connection.publish(message.subject, message.payload, { headers: head, reply });
    }
  }

  #settle(agent: RawAgent): void {
    const next = agent.queue.shift();
    if (next === undefined) agent.busy = false;
    else this.#run(agent, next);
  }

  #await(onStored: OnStored): string {
    const reply = `${this.#inbox}.${(this.#ids++).toString(36)}`;
    this.#waiters.set(reply, onStored);
    return reply;
  }
}

/** With the metadata that a message of ours carries. */
function headOf({ id }: { readonly id: string }): MsgHdrs {
  const head = headers();
  head.set("Troupe-Id", id);
  head.set("Troupe-Message", "pass");
  head.set("Content-Type", "application/msgpack");
  head.set("Troupe-Sender", "hop/a-key-0");
  head.set("Troupe-Causation-Id", id);
  head.set("Troupe-Correlation-Id", id);
  head.set("traceparent", traceparent);
  return head;
}

/** As many bytes as a turn record has. */
function recordOf(agent: RawAgent, message: JsMsg, sent: RawMessage | undefined): Uint8Array {
  return encodePayload({
    v: 1,
    n: agent.turns,
    i: message.seq,
    id: `hop@${message.seq}:0`,
    m: "pass",
    e: [["passed", { count: agent.turns }]],
    r: undefined,
    k: 1,
    t: traceparent,
    w: "bench-worker-1234567890",
    c: "unversioned",
    at: [Date.now(), Date.now(), 0],
    ...(sent === undefined ? {} : { o: [[sent.subject, sent.id, traceparent, sent.payload]] }),
  });
}
