/**
 * Manifests, floors and snapshots: the last value per subject in the control stream. All but
 * snapshots are JSON that people can read.
 */
import { PayloadTooLargeError } from "@troupe/core/errors";
import { agentName } from "@troupe/core/log";
import type { AgentId, Floor, Manifest, ReadOptions } from "@troupe/core/log";

import { getLast, getRange, type StoredMessage } from "./direct-get.ts";
import { behind, leaderGet } from "./leader-get.ts";
import { manifestKind } from "./manifests.ts";
import { publishError } from "./publish-error.ts";
import { publish } from "./publish.ts";
import { fieldsOf, readable, type RecordKind } from "./readable.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";

export async function saveFloors(session: Session, floors: readonly Floor[]): Promise<void> {
  await Promise.all(
    floors.map((floor) => put(session, session.subjects.floor(floor.type, floor.partition), floor)),
  );
}

export async function loadFloors(session: Session): Promise<readonly Floor[]> {
  const { subjects } = session;
  const kind: RecordKind<Floor> = {
    name: "floor",
    consequence: "Its partition is read from the beginning, which costs time only.",
    valueOf: (json, subject) => {
      const floor = floorOf(json);
      const isThere =
        floor !== undefined && subjects.floor(floor.type, floor.partition) === subject;
      return isThere ? floor : undefined;
    },
  };
  const found = await all(session, subjects.floors);
  return found.flatMap((stored) => readable(session, stored, kind) ?? []);
}

function floorOf(json: unknown): Floor | undefined {
  const { partition, position, type } = fieldsOf(json);
  const isPartition = partition === "unroutable" || isCount(partition);
  if (typeof type !== "string" || !isPartition || !isCount(position)) return undefined;
  return { ...fieldsOf(json), type, partition, position };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export async function loadManifests(
  session: Session,
  { firm = false, signal }: ReadOptions = {},
): Promise<readonly Manifest[]> {
  const { controlStream: stream, manifests: subject } = session.subjects;
  const attempt = async (): Promise<readonly StoredMessage[]> => {
    const found = await all(session, subject);
    if (!firm) return found;
    const seq = Math.max(0, ...found.map(({ position }) => position)) + 1;
    const missing = await leaderGet(session, stream, { seq, next_by_subj: subject });
    if (missing !== undefined) throw behind(stream, missing.seq);
    return found;
  };
  const found = await retryUnavailable(attempt, { timeoutMs: session.acceptTimeoutMs, signal });
  return found.flatMap((stored) => readable(session, stored, manifestKind(session)) ?? []);
}

export async function saveSnapshot(
  session: Session,
  agent: AgentId,
  snapshot: Uint8Array,
): Promise<void> {
  const { payloadBytesMax } = session.limits;
  if (snapshot.length > payloadBytesMax) {
    throw new PayloadTooLargeError(
      `The snapshot of ${agentName(agent)} has ${snapshot.length} bytes, the log takes ${payloadBytesMax}: it is not stored.`,
      { details: { agent: agentName(agent), bytes: snapshot.length, bytesMax: payloadBytesMax } },
    );
  }
  await putBytes(session, session.subjects.snapshot(agent), snapshot);
}

export async function loadSnapshot(
  session: Session,
  agent: AgentId,
): Promise<Uint8Array | undefined> {
  const { subjects } = session;
  const stored = await getLast(session, subjects.controlStream, subjects.snapshot(agent));
  return stored?.message.data;
}

function put(session: Session, subject: string, value: Floor): Promise<void> {
  return putBytes(session, subject, Buffer.from(JSON.stringify(value)));
}

async function putBytes(session: Session, subject: string, payload: Uint8Array): Promise<void> {
  const ack = await publish(session, { subject, lines: "", payload });
  if (ack.error !== undefined) throw publishError(ack.error, `The value of ${subject}`);
}

/**
 * Every value under a subject: the stream holds only the last per subject, so a range has each
 * once.
 */
async function all(session: Session, subject: string): Promise<readonly StoredMessage[]> {
  const stream = session.subjects.controlStream;
  const values = new Map<string, StoredMessage>();
  for (let after = 0; ;) {
    const page = await getRange(session, { stream, subject, after });
    const last = page.at(-1);
    if (last === undefined) return [...values.values()];
    for (const stored of page) values.set(stored.subject, stored);
    after = last.position;
  }
}
