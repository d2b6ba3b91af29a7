/**
 * Report of the messages that a namespace's streams keep, by kind.
 *
 * The server knows the number of messages of each subject, and the bytes of a stream; the size of a
 * type's messages is sampled, at places that are spread over the stream, and the parts are made to
 * add up. The time at which something was stored is found by halving.
 */
import type { Position, StorageReport, StoredKind, StoredPart } from "@troupe/core/log";

import { apiRequest } from "./api-request.ts";
import { getNext, type StoredMessage } from "./direct-get.ts";
import { storedSubjects, type StreamState } from "./stored-subjects.ts";
import type { Session } from "./session.ts";

/** Messages of one kind and name, before their bytes are known. */
interface Part {
  readonly kind: StoredKind;
  readonly name: string;
  readonly stream: string;
  /** All of its subjects. */
  readonly filter: string;
  messages: number;
}

interface Sampled extends Part {
  readonly bytesEach: number;
  readonly oldestMs: number | undefined;
}

/** @throws LogUnavailableError */
export async function storageReport(session: Session): Promise<StorageReport> {
  const { controlStream, stream } = session.subjects;
  const [log, control] = await Promise.all([
    partsOf(session, stream),
    session.subjects.shard === 0 ? partsOf(session, controlStream) : nothingKept,
  ]);
  const parts = [...(await sized(session, log)), ...(await sized(session, control))];
  const oldest = parts.flatMap(({ oldestMs }) => oldestMs ?? []);
  const [bytesPerDay, limit] = await Promise.all([
    writtenPerDay(session, log.state),
    accountLimit(session),
  ]);
  return {
    messages: log.state.messages + control.state.messages,
    bytes: log.state.bytes + control.state.bytes,
    parts: parts.toSorted((a, b) => b.bytes - a.bytes),
    oldestMs: oldest.length === 0 ? undefined : Math.min(...oldest),
    bytesPerDay,
    limit,
  };
}

interface StreamParts {
  readonly state: StreamState;
  readonly parts: readonly Part[];
}

/** The control stream is counted with the first shard. */
const nothingKept: StreamParts = Object.freeze({
  state: { messages: 0, bytes: 0, first_seq: 0, last_seq: 0 },
  parts: [],
});

/** The subjects come in pages of as many as the server likes. */
async function partsOf(session: Session, stream: string): Promise<StreamParts> {
  const parts = new Map<string, Part>();
  let state: StreamState = nothingKept.state;
  for await (const page of storedSubjects(session, stream, ">")) {
    state = page.state;
    for (const [subject, messages] of page.subjects) {
      const place = placeOf(session, subject);
      const name = `${place.kind} ${place.name}`;
      const part = parts.get(name) ?? { ...place, stream, messages: 0 };
      part.messages += messages;
      parts.set(name, part);
    }
  }
  return { state, parts: [...parts.values()] };
}

function placeOf({ subjects }: Session, subject: string): Pick<Part, "filter" | "kind" | "name"> {
  const { namespace } = subjects;
  const [first, kind, name = "", topic = ""] = subject.slice(namespace.length + 1).split(".");
  if (first === "control") {
    const filter = `${namespace}.control.snapshot.${name}.>`;
    return kind === "snapshot" ? { kind: "snapshots", name, filter } : others;
  }
  if (kind === "journal") {
    return { kind, name, filter: subjects.everywhere(kind, `${name}.>`) };
  }
  if (kind === "in") {
    const filter = subjects.everywhere(kind, `${name}.${topic}.>`);
    return { kind: name === "topic" ? "publications" : "inputs", name: topic, filter };
  }
  if (kind !== "dead") return others;
  return { kind: "dead-letters", name, filter: subjects.everywhere(kind, `${name}.>`) };
}

const others = { kind: "other", name: "", filter: ">" } as const;

async function sized(
  session: Session,
  { parts, state }: StreamParts,
): Promise<readonly StoredPart[]> {
  const sampled: Sampled[] = [];
  for (const part of parts) sampled.push(await sample(session, part, state));
  const sum = sampled.reduce((bytes, part) => bytes + part.messages * part.bytesEach, 0);
  const scale = sum === 0 ? 0 : state.bytes / sum;
  return sampled.map(({ bytesEach, kind, messages, name, oldestMs }) => {
    const bytes = Math.round(messages * bytesEach * scale);
    return { kind, name, messages, bytes, oldestMs };
  });
}

async function sample(session: Session, part: Part, state: StreamState): Promise<Sampled> {
  const { filter: subject, stream } = part;
  const { first_seq: first, last_seq: last } = state;
  const step = Math.max(1, (last - first + 1) / samplesMax);
  const found = new Map<Position, StoredMessage>();
  for (let after = first - 1; after < last; after = Math.floor(after + step)) {
    const next = await getNext(session, { stream, subject, after });
    if (next === undefined) break;
    found.set(next.position, next);
    after = Math.max(after, next.position - 1);
  }
  const samples = [...found.values()];
  const bytes = samples.reduce((sum, each) => sum + bytesOf(each), 0);
  return {
    ...part,
    bytesEach: samples.length === 0 ? overheadBytes : bytes / samples.length,
    oldestMs: samples[0]?.storedAtMs,
  };
}

function bytesOf({ message, subject }: StoredMessage): number {
  // The headers of a direct get are the message's own and some more; that evens out over the parts.
  const { size } = message as { readonly size?: () => number };
  const onTheWire = size === undefined ? message.data.byteLength : size.call(message);
  return onTheWire + subject.length + overheadBytes;
}

/** Messages of the last day, at the mean size; of a younger log as much as a day of it. */
async function writtenPerDay(session: Session, state: StreamState): Promise<number> {
  const { bytes, first_seq: first, last_seq: last, messages } = state;
  if (messages === 0) return 0;
  const { stream } = session.subjects;
  const at = (position: Position): Promise<StoredMessage | undefined> =>
    getNext(session, { stream, subject: ">", after: position - 1 });
  const nowMs = session.time.nowMs;
  const oldest = await at(first);
  const ageMs = nowMs - (oldest?.storedAtMs ?? nowMs);
  const each = bytes / messages;
  if (ageMs < dayMs) return Math.round((bytes * dayMs) / Math.max(ageMs, minuteMs));
  let [low, high] = [first, last];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = await at(middle);
    if (found === undefined || found.storedAtMs >= nowMs - dayMs) high = middle;
    else low = found.position + 1;
  }
  return Math.round((last - low + 1) * each);
}

interface AccountInfo {
  readonly storage: number;
  readonly limits?: { readonly max_storage?: number };
}

/** Undefined without a limit, or without the right to ask. */
async function accountLimit(session: Session): Promise<StorageReport["limit"]> {
  try {
    const { limits, storage } = await apiRequest<AccountInfo>(session, "INFO", {});
    const bytes = limits?.max_storage ?? -1;
    return bytes > 0 ? { bytes, usedBytes: storage } : undefined;
  } catch {
    return undefined;
  }
}

const samplesMax = 24;
const overheadBytes = 30;
const minuteMs = 60_000;
const dayMs = 86_400_000;
