/**
 * The whole stream of a namespace, entry by entry, as a bare client reads it.
 *
 * Neither the log port nor the engine is between the check and what the broker stored; only the
 * formats of records and payloads are shared. Nothing is kept, so a long run needs no more memory
 * than a short one.
 */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { MsgHdrs } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { decodePayload, tokenToKey } from "@troupe/core/log";
import { decodeJournalRecord, type StepRecord, type TurnRecord } from "@troupe/core/operate";

export interface StoredInput {
  readonly kind: "input";
  readonly position: number;
  /** `type/key`. */
  readonly agent: string;
  /** The name of the message. */
  readonly message: string;
  readonly value: unknown;
  /** The id of a message that an agent sent; undefined for what a client sent. */
  readonly sentId: string | undefined;
  readonly sender: string | undefined;
}

export interface StoredTurn {
  readonly kind: "turn";
  readonly agent: string;
  readonly record: TurnRecord;
}

export interface StoredSteps {
  readonly kind: "steps";
  readonly agent: string;
  readonly steps: StepRecord;
  readonly storedAtMs: number;
}

/** An entry that nobody should have caused. */
export interface StoredStray {
  readonly kind: "stray";
  readonly subject: string;
}

export type StoredEntry = StoredInput | StoredTurn | StoredSteps | StoredStray;

/** In log order, up to what is the last entry now. */
export async function* readStored(
  servers: readonly string[],
  namespace: string,
): AsyncGenerator<StoredEntry> {
  const connection = await connect({ servers: [...servers] });
  try {
    const manager = await jetstreamManager(connection);
    const { state } = await manager.streams.info(`${namespace}-0`);
    if (state.messages === 0) return;
    const consumer = await jetstream(connection).consumers.get(`${namespace}-0`);
    for await (const message of await consumer.consume()) {
      yield entryOf(namespace, message);
      // The last one may have been deleted; then nothing is pending before its number is reached.
      if (message.seq >= state.last_seq || message.info.pending === 0) return;
    }
  } finally {
    await connection.close();
  }
}

interface StreamMessage {
  readonly seq: number;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: MsgHdrs | undefined;
  readonly time: Date;
}

function entryOf(namespace: string, message: StreamMessage): StoredEntry {
  const { subject } = message;
  const [, what, ...rest] = subject.slice(namespace.length + 1).split(".");
  if (what === "in") return inputOf(rest, message);
  if (what === "journal") return recordOf(rest, message);
  return { kind: "stray", subject };
}

function inputOf(
  [kind, to = "", ...token]: readonly string[],
  message: StreamMessage,
): StoredInput {
  const { data, headers, seq } = message;
  const header = (name: string): string | undefined => headers?.get(name) || undefined;
  const isPacked = header("Content-Type") === "application/msgpack";
  return {
    kind: "input",
    position: seq,
    // The one topic here has one subscriber.
    agent: agentOf(kind === "topic" ? marksSubscriber : to, token),
    message: kind === "topic" ? to : (header("Troupe-Message") ?? ""),
    value: decodePayload(data, isPacked ? "application/msgpack" : undefined),
    sentId: header("Troupe-Id"),
    sender: header("Troupe-Sender"),
  };
}

function recordOf(
  [type = "", ...token]: readonly string[],
  { data, subject, time }: StreamMessage,
): StoredTurn | StoredSteps | StoredStray {
  const agent = agentOf(type, token);
  const entry = decodeJournalRecord(data);
  if (entry.kind === "turn") return { kind: "turn", agent, record: entry.turn };
  if (entry.kind === "steps") {
    return { kind: "steps", agent, steps: entry.steps, storedAtMs: time.getTime() };
  }
  return { kind: "stray", subject };
}

const marksSubscriber = "copy";

function agentOf(type: string, token: readonly string[]): string {
  return `${type}/${tokenToKey(token.join("."))}`;
}
