/**
 * Counting and destroying what the streams hold of one agent or source (DESTROY-1 to DESTROY-3).
 *
 * A purge would only take the messages out of the index: their bytes stay in the server's files
 * until a block is written anew, which may be never. So each message is deleted by its sequence in
 * the way that overwrites it. DESIGN.md tells the costs, and the work of the server.
 */
import type { CallOptions, Holdings, LogPart, Position } from "@troupe/core/log";

import { apiRequest } from "./api-request.ts";
import { getRange } from "./direct-get.ts";
import { inputSubject } from "./input-subject.ts";
import { leaderGet, unlessNothingThere, type LeaderMessage } from "./leader-get.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";

/** The place of a part. */
interface PartPlace {
  readonly stream: string;
  /** Literal, or with wildcards. */
  readonly subject: string;
  /** True when its positions are those of the log. */
  readonly isLog: boolean;
}

export async function holdings(
  session: Session,
  part: LogPart,
  upTo: Position,
  options?: CallOptions,
): Promise<Holdings> {
  let [count, bytes] = [0, 0];
  for (const place of placesOf(session, part)) {
    const last = place.isLog ? upTo : Infinity;
    for await (const found of everyOf(session, place, last, options)) {
      count += found.length;
      for (const each of found) bytes += each.bytes;
    }
  }
  return { count, bytes };
}

/** Returns how many were destroyed. */
export async function destroy(
  session: Session,
  part: LogPart,
  upTo: Position,
  options?: CallOptions,
): Promise<number> {
  let destroyed = 0;
  for (const place of placesOf(session, part)) {
    const last = place.isLog ? upTo : Infinity;
    destroyed += await destroyPlace(session, place, last, options);
  }
  return destroyed;
}

async function destroyPlace(
  session: Session,
  place: PartPlace,
  upTo: Position,
  options?: CallOptions,
): Promise<number> {
  const positions: Position[] = [];
  for await (const found of everyOf(session, place, upTo, options)) {
    for (const { position } of found) positions.push(position);
  }
  // From the last to the first, so that what an end in the middle leaves is a beginning
  // (DESTROY-2).
  const inOrder = positions.toReversed();
  for (let at = 0; at < inOrder.length; at += atOnceMax) {
    options?.signal?.throwIfAborted();
    const some = inOrder.slice(at, at + atOnceMax);
    await Promise.all(some.map((position) => destroyMessage(session, place, position)));
  }
  return positions.length;
}

/** Requests on their way (I7). */
const atOnceMax = 16;

async function destroyMessage(
  session: Session,
  { stream }: PartPlace,
  seq: Position,
): Promise<void> {
  const request = { seq, no_erase: false };
  const attempt = (): Promise<unknown> =>
    unlessNothingThere(apiRequest(session, `STREAM.MSG.DELETE.${stream}`, request));
  await retryUnavailable(attempt, { timeoutMs: session.acceptTimeoutMs });
}

async function nextOnLeader(
  session: Session,
  { stream, subject }: PartPlace,
  after: Position,
): Promise<LeaderMessage | undefined> {
  const wanted = { seq: after + 1, next_by_subj: subject };
  const attempt = (): Promise<LeaderMessage | undefined> => leaderGet(session, stream, wanted);
  return retryUnavailable(attempt, { timeoutMs: session.acceptTimeoutMs });
}

interface Found {
  readonly position: Position;
  readonly bytes: number;
}

/** With what a replica that is behind did not have. */
async function* everyOf(
  session: Session,
  place: PartPlace,
  upTo: Position,
  options?: CallOptions,
): AsyncGenerator<readonly Found[], void, undefined> {
  let after = 0;
  for await (const found of messagesOf(session, place, upTo, options)) {
    after = found.at(-1)?.position ?? after;
    yield found;
  }
  for (;;) {
    const next = await nextOnLeader(session, place, after);
    if (next === undefined || next.seq > upTo) return;
    after = next.seq;
    yield [foundOf(next)];
  }
}

function foundOf({ data = "", seq: position }: LeaderMessage): Found {
  return { position, bytes: Buffer.byteLength(data, "base64") };
}

async function* messagesOf(
  session: Session,
  place: PartPlace,
  upTo: Position,
  options?: CallOptions,
): AsyncGenerator<readonly Found[], void, undefined> {
  const { stream, subject } = place;
  if (stream === session.subjects.ingressStream) {
    yield* inIngress(session, place);
    return;
  }
  for (let after = 0; after < upTo;) {
    const page = await getRange(session, { stream, subject, after }, options);
    after = page.at(-1)?.position ?? Infinity;
    yield page.flatMap(({ message, position }) =>
      position <= upTo ? [{ position, bytes: message.data.length }] : [],
    );
  }
}

/** The ingress allows no direct gets. */
async function* inIngress(
  session: Session,
  place: PartPlace,
): AsyncGenerator<readonly Found[], void, undefined> {
  for (let after = 0; ;) {
    const found = await nextOnLeader(session, place, after);
    if (found === undefined) return;
    after = found.seq;
    yield [foundOf(found)];
  }
}

function placesOf(session: Session, part: LogPart): readonly PartPlace[] {
  const { subjects } = session;
  const ofLog = (subject: string): PartPlace => ({ stream: subjects.stream, subject, isLog: true });
  if (part.kind === "publications") {
    const { source, topic } = part;
    const address = { kind: "topic", name: topic, key: source } as const;
    return [
      ofLog(inputSubject(subjects, address)),
      { stream: subjects.ingressStream, subject: subjects.topic(topic, source), isLog: false },
    ];
  }
  const { agent } = part;
  const address = { kind: "agent", name: agent.type, key: agent.key } as const;
  const places: Readonly<Record<typeof part.kind, readonly PartPlace[]>> = {
    journal: [ofLog(subjects.journal(agent))],
    inputs: [
      ofLog(inputSubject(subjects, address)),
      { stream: subjects.ingressStream, subject: subjects.agent(agent), isLog: false },
    ],
    "dead-letters": [ofLog(subjects.dead(agent)), ofLog(`${subjects.dead(agent)}.*`)],
    timers: [ofLog(subjects.timersOf(agent)), ofLog(subjects.cancelledOf(agent))],
    snapshot: [{ stream: subjects.controlStream, subject: subjects.snapshot(agent), isLog: false }],
  };
  return places[part.kind];
}
