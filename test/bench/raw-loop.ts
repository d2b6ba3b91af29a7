/**
 * Our yardstick: a loop written by hand on the raw client, with the same input
 * and output per turn and nothing else. No validation, no retries, no ownership, no traces, no
 * recovery: an error ends it.
 *
 * Per message: pull, decode, fold, append a record of the same size with the expected sequence,
 * reply, acknowledge. Sixteen consumers, one mailbox per key.
 *
 * - `batches` commits as JetStream's documentation suggests for many writes at once: atomic batches
 *   of up to 1000 records,
 *   up to four on their way, and one acknowledgement per message.
 * - `singles` is the fastest loop we could write: one publish per record, pipelined, and consumers
 *   without acknowledgement.
 */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { JsMsg } from "@nats-io/jetstream";
import { headers } from "@nats-io/nats-core";
import type { NatsConnection } from "@nats-io/nats-core";
import { decodePayload, encodePayload } from "@troupe/core/log";

export type RawCommit = "batches" | "singles";

export interface RawLoopOptions {
  readonly stream: string;
  /** The subjects of a partition's inputs. */
  readonly inputsOf: (partition: number) => string;
  /** Subject prefix of the journals; must be on the stream. */
  readonly journals: string;
  readonly partitions: number;
  readonly commit: RawCommit;
}

interface RawAgent {
  readonly journal: string;
  revision: number;
  balance: number;
  turns: number;
  busy: boolean;
  readonly queue: JsMsg[];
}

interface RawTurn {
  readonly agent: RawAgent;
  readonly message: JsMsg;
}

/** Run until `stop` is called. */
export async function startRawLoop(
  connection: NatsConnection,
  options: RawLoopOptions,
): Promise<{ stop(): Promise<void> }> {
  const loop = new RawLoop(connection, options);
  await loop.start();
  return loop;
}

class RawLoop {
  readonly #connection: NatsConnection;
  readonly #options: RawLoopOptions;
  readonly #agents = new Map<string, RawAgent>();
  readonly #waiters = new Map<string, (ack: { readonly seq: number }) => void>();
  readonly #inbox = `_INBOX.raw.${process.hrtime.bigint().toString(36)}`;
  readonly #consuming: { close(): Promise<unknown> }[] = [];
  #queue: RawTurn[] = [];
  #flying = 0;
  #ids = 0;
  #scheduled = false;

  constructor(connection: NatsConnection, options: RawLoopOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { commit, inputsOf, partitions, stream } = this.#options;
    this.#connection.subscribe(`${this.#inbox}.*`, {
      callback: (_error, message) => {
        const waiter = this.#waiters.get(message.subject);
        this.#waiters.delete(message.subject);
        const ack = message.json<{ readonly seq: number; readonly error?: unknown }>();
        if (ack.error !== undefined) throw new Error(JSON.stringify(ack.error));
        waiter?.(ack);
      },
    });
    const manager = await jetstreamManager(this.#connection);
    const client = jetstream(this.#connection);
    for (let partition = 0; partition < partitions; partition++) {
      const name = `raw-${commit}-${partition}-${process.hrtime.bigint().toString(36)}`;
      await manager.consumers.add(stream, {
        durable_name: name,
        ack_policy: commit === "batches" ? "explicit" : "none",
        filter_subject: inputsOf(partition),
        ...(commit === "batches" ? { max_ack_pending: 5000 } : {}),
      });
      const consumer = await client.consumers.get(stream, name);
      this.#consuming.push(
        await consumer.consume({ max_messages: 1000, callback: (message) => this.#take(message) }),
      );
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#consuming.map((messages) => messages.close()));
  }

  #take(message: JsMsg): void {
    const key = message.subject.slice(message.subject.lastIndexOf(".") + 1);
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      const journal = `${this.#options.journals}.${key}`;
      agent = { journal, revision: 0, balance: 0, turns: 0, busy: false, queue: [] };
      this.#agents.set(key, agent);
    }
    if (agent.busy) agent.queue.push(message);
    else this.#run(agent, message);
  }

  #run(agent: RawAgent, message: JsMsg): void {
    agent.busy = true;
    const { amount } = decodePayload(message.data, "application/msgpack") as {
      readonly amount: number;
    };
    agent.balance += amount;
    agent.turns += 1;
    this.#queue.push({ agent, message });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#options.commit === "batches") this.#flushBatches();
      else this.#flushSingles();
    });
  }

  #flushSingles(): void {
    for (const turn of this.#queue.splice(0)) {
      const head = headers();
      head.set("Nats-Expected-Last-Subject-Sequence", String(turn.agent.revision));
      this.#connection.publish(turn.agent.journal, record(turn), {
        headers: head,
        reply: this.#await(({ seq }) => this.#settle(turn, seq)),
      });
    }
  }

  #flushBatches(): void {
    while (this.#queue.length > 0 && this.#flying < 4) {
      if (this.#flying > 0 && this.#queue.length < 100) return;
      const turns = this.#queue.splice(0, 1000);
      this.#flying += 1;
      this.#publishBatch(turns);
    }
  }

  #publishBatch(turns: readonly RawTurn[]): void {
    const batch = `${this.#inbox}-${this.#ids++}`;
    for (const [index, turn] of turns.entries()) {
      const head = headers();
      head.set("Nats-Batch-Id", batch);
      head.set("Nats-Batch-Sequence", String(index + 1));
      head.set("Nats-Expected-Last-Subject-Sequence", String(turn.agent.revision));
      if (index < turns.length - 1) {
        this.#connection.publish(turn.agent.journal, record(turn), { headers: head });
        continue;
      }
      head.set("Nats-Batch-Commit", "1");
      const reply = this.#await(({ seq }) => {
        this.#flying -= 1;
        const first = seq - turns.length + 1;
        for (const [at, each] of turns.entries()) this.#settle(each, first + at);
        this.#schedule();
      });
      this.#connection.publish(turn.agent.journal, record(turn), { headers: head, reply });
    }
  }

  #settle({ agent, message }: RawTurn, revision: number): void {
    agent.revision = revision;
    if (this.#options.commit === "batches") message.ack();
    const replyTo = message.headers?.get("Troupe-Reply-To");
    if (replyTo) this.#connection.publish(replyTo, encodePayload([agent.balance]));
    const next = agent.queue.shift();
    if (next === undefined) agent.busy = false;
    else this.#run(agent, next);
  }

  #await(waiter: (ack: { readonly seq: number }) => void): string {
    const reply = `${this.#inbox}.${(this.#ids++).toString(36)}`;
    this.#waiters.set(reply, waiter);
    return reply;
  }
}

/** As many bytes as a turn record has. */
function record({ agent, message }: RawTurn): Uint8Array {
  return encodePayload({
    v: 1,
    n: agent.turns,
    i: message.seq,
    id: `deposit-${message.seq}`,
    m: "deposit",
    e: [["deposited", { amount: 5 }]],
    r: agent.balance,
    k: 1,
    t: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    w: "bench-worker-1234567890",
    c: "unversioned",
    at: [Date.now(), Date.now(), 0],
  });
}
