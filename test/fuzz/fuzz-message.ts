/** Messages that nobody should send, by chance: subjects, headers, payloads. */
import { encodePayload } from "@troupe/core/log";

import { oneOf, type Random } from "../chaos/seeded-random.ts";

export interface FuzzMessage {
  /** Below the namespace, or beginning with `$`. */
  readonly subject: string;
  /** The header block as bytes, well-formed or not; none when undefined. */
  readonly headers: Uint8Array | undefined;
  readonly payload: Uint8Array;
}

/** Draws a message that a publisher may write; its content may be anything. */
export function publicMessage(random: Random): FuzzMessage {
  const subject = publicSubject(random);
  const headers = random() < 0.5 ? undefined : headerBlock(random);
  return { subject, headers, payload: payload(random) };
}

/** Draws a message that no publisher may write. */
export function forbiddenMessage(random: Random): FuzzMessage {
  return { ...publicMessage(random), subject: oneOf(random, forbidden) ?? "presence" };
}

const forbidden: readonly string[] = [
  "7.journal.target.alice",
  "1.in.agent.target.alice",
  "0.unroutable",
  "0.taken",
  "7.dead.target.alice",
  "control.floor.target.1",
  "control.manifest.target",
  "presence",
  "cancelled",
  "cell.tokens",
  "reply.publisher.x",
  "$JS.API.STREAM.PURGE.fuzz-0",
  "$JS.API.STREAM.DELETE.fuzz-ingress",
];

/** Draws an address to which a stranger may want the server to write its acknowledgement. */
export function hostileReply(random: Random): string {
  const subject = oneOf(random, forbidden) ?? "presence";
  return subject.startsWith("$") ? subject : `fuzz.${subject}`;
}

/** Draws a message that is broadcast on the bus, by somebody who may. */
export function broadcast(random: Random): FuzzMessage {
  const subjects = ["presence", "cancelled", "cell.tokens", "presence.nobody"];
  const odd = random() < 0.5 ? payload(random) : text(JSON.stringify(oddPresence(random)));
  return { subject: oneOf(random, subjects) ?? "presence", headers: undefined, payload: odd };
}

function oddPresence(random: Random): unknown {
  const odd = [null, 7, "x", [], [null], { target: 1 }, { target: [1.5] }, { target: ["0"] }];
  return { worker: oneOf(random, ["w", "", 7, null]), leaving: 1, holds: oneOf(random, odd) };
}

const times = (random: Random, most: number): undefined[] =>
  Array.from({ length: Math.floor(random() * (most + 1)) });

function publicSubject(random: Random): string {
  const chance = random();
  const key = token(random);
  if (chance < 0.4) return `agent.target.${key}`;
  if (chance < 0.7) return `topic.noise.${key}`;
  const kind = oneOf(random, ["agent", "topic"]) ?? "agent";
  if (chance < 0.8) return `${kind}.${oneOf(random, names) ?? "x"}.${key}`;
  return [kind, ...times(random, 5).map(() => token(random)), "x"].join(".");
}

const names = [
  "_unroutable",
  "~unroutable",
  "größe",
  "constructor",
  "__proto__",
  "x".repeat(70),
  "a/b",
];

function token(random: Random): string {
  if (random() < 0.7) return `key-${Math.floor(random() * 500)}`;
  return oneOf(random, oddTokens) ?? "x";
}

const oddTokens = [
  "alice%2",
  "%61lice",
  "%2E",
  "a%2e",
  "größe",
  "日本語",
  "x".repeat(600),
  "%F0%9F%8C%B5",
  "%ED%A0%80",
  "a\u0001b",
  "\u202Ereversed",
  "~resume",
  "__proto__",
];

const headerNames = [
  "Nats-Msg-Id",
  "Nats-Rollup",
  "Nats-Schedule",
  "Nats-Schedule-Target",
  "Nats-Schedule-Next",
  "Nats-Schedule-TTL",
  "Nats-Scheduler",
  "Nats-TTL",
  "Nats-Incr",
  "Nats-Batch-Id",
  "Nats-Batch-Sequence",
  "Nats-Batch-Commit",
  "Nats-Expected-Stream",
  "Nats-Expected-Last-Sequence",
  "Nats-Expected-Last-Subject-Sequence",
  "Nats-Stream-Source",
  "Nats-Marker-Reason",
  "Nats-Subject",
  "Nats-Sequence",
  "Nats-Last-Sequence",
  "Troupe-Foreign",
  "Troupe-Id",
  "Troupe-Message",
  "Troupe-Topic",
  "Troupe-Sender",
  "Troupe-Causation-Id",
  "Troupe-Correlation-Id",
  "Troupe-Reply-To",
  "Troupe-Deadline",
  "Troupe-Callers",
  "Troupe-Askers",
  "Troupe-Timer",
  "Troupe-Unroutable-Code",
  "Troupe-Unroutable-Subject",
  "Troupe-Dead-Position",
  "Content-Type",
  "traceparent",
  "tracestate",
  "Status",
  "",
  "x y",
];

const headerValues = [
  "",
  "all",
  "sub",
  "purge",
  "1",
  "-1",
  "999999999999999999999",
  "NaN",
  "@at 2020-01-01T00:00:00Z",
  "@every 1s",
  "fuzz.7.journal.target.alice",
  "fuzz.reply.publisher.x",
  "fuzz.reply.>",
  "_INBOX.worker.x",
  "$JS.API.STREAM.PURGE.fuzz-0",
  "application/msgpack",
  "application/json",
  "note",
  "keep",
  "~resume",
  "target/alice",
  "%ZZ",
  "größe\u0001",
  "x".repeat(5000),
];

function headerBlock(random: Random): Uint8Array {
  const chance = random();
  if (chance < 0.05) return bytes(random, 200);
  const most = chance < 0.06 ? 3000 : 6;
  const lines = times(random, most).map(() => {
    const value = random() < 0.8 ? oneOf(random, headerValues) : byteText(random, 40);
    return `${oneOf(random, headerNames)}:${random() < 0.9 ? " " : ""}${value}\r\n`;
  });
  return Buffer.from(`NATS/1.0\r\n${lines.join("")}\r\n`, random() < 0.9 ? "utf8" : "latin1");
}

const byteText = (random: Random, most: number): string =>
  Buffer.from(bytes(random, most)).toString("latin1");

function bytes(random: Random, most: number): Uint8Array {
  return Uint8Array.from(times(random, most), () => Math.floor(random() * 256));
}

const text = (value: string): Uint8Array => Buffer.from(value);

function payload(random: Random): Uint8Array {
  const chance = random();
  if (chance < 0.25) return text(JSON.stringify({ [messageName(random)]: anyValue(random, 4) }));
  if (chance < 0.4) return text(JSON.stringify(anyValue(random, 5)));
  if (chance < 0.55) return cut(random, encodePayload(anyValue(random, 5)));
  if (chance < 0.7) return cut(random, text(JSON.stringify(anyValue(random, 5))));
  if (chance < 0.9) return bytes(random, 64);
  return oneOf(random, oddPayloads) ?? text("");
}

const messageName = (random: Random): string =>
  oneOf(random, ["note", "keep", "~resume", "toString", "__proto__", "constructor", ""]) ?? "note";

/** As it is, without its end, or with some bytes changed. */
function cut(random: Random, whole: Uint8Array): Uint8Array {
  const chance = random();
  if (chance < 0.3) return whole;
  if (chance < 0.6) return whole.subarray(0, Math.floor(random() * whole.length));
  return whole.map((byte) => (random() < 0.1 ? Math.floor(random() * 256) : byte));
}

const oddPayloads: readonly Uint8Array[] = [
  text(""),
  text("null"),
  text('{"note":{"n":1}}'),
  text('{"keep":{"__proto__":{"polluted":true}}}'),
  text(`{"keep":${"[".repeat(5000)}${"]".repeat(5000)}}`),
  text(`{"keep":${"9".repeat(20_000)}}`),
  text('{"keep":"\\ud800"}'),
  text(`{"note":{"n":1},"note":{"n":2}}`),
  text(`{"keep":"${"x".repeat(50_000)}"}`),
  // MessagePack: maps and arrays that promise more than there is, extension types, deep nesting.
  Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0xdf, 0x7f, 0xff, 0xff, 0xff, 0x01),
  Uint8Array.of(0xc6, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0xc7, 0x0c, 0xff, ...Array.from({ length: 12 }, () => 0xff)),
  Uint8Array.of(0xd4, 0x72, 0x40),
  Uint8Array.of(0xc7, 0x04, 0x42, 0xff, 0xff, 0xff, 0xff),
  new Uint8Array(3000).fill(0x91),
  new Uint8Array(3000).fill(0x81),
];

function anyValue(random: Random, depth: number): unknown {
  const chance = random();
  if (depth === 0 || chance < 0.5) return oneOf(random, scalars);
  if (chance < 0.75) return times(random, 5).map(() => anyValue(random, depth - 1));
  const entries = times(random, 5).map(() => [propertyName(random), anyValue(random, depth - 1)]);
  return Object.fromEntries(entries) as unknown;
}

const propertyName = (random: Random): string =>
  oneOf(random, ["n", "a", "text", "then", "toJSON", "length", "0", "", "größe"]) ?? "n";

const scalars: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  "",
  "text",
  "日本語",
  "\u202E\u0000\u009b31m",
];
