/**
 * The whole stream of a namespace as a bare client reads it: without the log port and the engine.
 *
 * It knows the public facts only: which subjects there are, that a journal holds turn records, and
 * their format.
 */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { MsgHdrs } from "@nats-io/nats-core";
import { connect, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import { decodePayload, tokenToKey } from "@troupe/core/log";
import { decodeJournalRecord, type TurnRecord } from "@troupe/core/operate";

export interface RawInput {
  readonly position: number;
  readonly kind: string;
  readonly name: string;
  readonly key: string;
  readonly headers: MsgHdrs | undefined;
  readonly payload: Uint8Array;
}

export interface RawTurn {
  readonly revision: number;
  readonly type: string;
  readonly key: string;
  readonly record: TurnRecord;
}

export interface RawDeadLetter {
  readonly subject: string;
  readonly headers: MsgHdrs | undefined;
  readonly payload: Uint8Array;
}

export interface RawStream {
  /** In log order, and so is everything. */
  readonly inputs: RawInput[];
  readonly turns: RawTurn[];
  readonly deadLetters: RawDeadLetter[];
  /** Foreign messages that nobody can be given. */
  readonly unroutable: (RawDeadLetter & { readonly position: number })[];
  /** Every stored byte, as text. */
  readonly texts: string[];
}

/** `server` is an address, or the options of a client that may read. */
export async function readStream(
  server: string | NodeConnectionOptions,
  namespace: string,
): Promise<RawStream> {
  const found: RawStream = { inputs: [], turns: [], deadLetters: [], unroutable: [], texts: [] };
  const connection = await connect(typeof server === "string" ? { servers: server } : server);
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const { state } = await manager.streams.info(`${namespace}-0`);
    if (state.messages === 0) return found;
    const consumer = await jetstream(connection).consumers.get(`${namespace}-0`);
    for await (const message of await consumer.consume()) {
      sort(found, namespace, message);
      if (message.seq >= state.last_seq) break;
    }
    return found;
  } finally {
    await connection.close();
  }
}

/** Counts the messages on the subjects that a filter selects: `*.journal.tally.*`. */
export async function counterOf(
  client: NatsConnection,
  namespace: string,
): Promise<(filter: string) => Promise<number>> {
  const manager = await jetstreamManager(client, { checkAPI: false });
  return async (filter) => {
    const subjects_filter = `${namespace}.${filter}`;
    const { state } = await manager.streams.info(`${namespace}-0`, { subjects_filter });
    return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  };
}

interface StreamMessage {
  readonly seq: number;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: MsgHdrs | undefined;
}

function sort(found: RawStream, namespace: string, message: StreamMessage): void {
  const { data: payload, headers, seq, subject } = message;
  found.texts.push(`${subject} ${headerText(headers)} ${textOf(payload)}`);
  const [, what, ...rest] = subject.slice(namespace.length + 1).split(".");
  if (what === "unroutable") {
    found.unroutable.push({ position: seq, subject, headers, payload });
  } else if (what === "in") {
    const [kind = "", name = "", ...token] = rest;
    const key = keyOf(token.join("."));
    found.inputs.push({ position: seq, kind, name, key, headers, payload });
  } else if (what === "journal") {
    const [type = "", ...token] = rest;
    const decoded = decodeJournalRecord(payload);
    if (decoded.kind !== "turn") return;
    const { turn: record } = decoded;
    found.turns.push({ revision: seq, type, key: keyOf(token.join(".")), record });
  } else if (what === "dead") {
    found.deadLetters.push({ subject, headers, payload });
  }
}

/** The key of a token, or the token itself when it is nobody's key. */
function keyOf(token: string): string {
  try {
    return tokenToKey(token);
  } catch {
    return token;
  }
}

function headerText(headers: MsgHdrs | undefined): string {
  return [...(headers ?? [])].map(([name, values]) => `${name}: ${values.join(", ")}`).join(" ");
}

const utf8 = new TextDecoder("utf-8", { fatal: false });

/** As it is for JSON; a decoded MessagePack value as JSON, so that no string can hide in it. */
function textOf(payload: Uint8Array): string {
  const text = utf8.decode(payload);
  try {
    return `${text} ${JSON.stringify(decodePayload(payload, "application/msgpack"))}`;
  } catch {
    return text;
  }
}
