/**
 * Freezing the log that is moved: the server takes nothing more into its streams, for ever.
 *
 * First the ingress, so that what foreign clients were told is stored can be taken into the log to
 * the last message; then the log. A sealed stream refuses whatever anybody wants to store, and
 * fires no timer, so where the log ends then is where it ends.
 */
import type { StreamConfig } from "@nats-io/jetstream";
import type { Position } from "@troupe/core/log";

import { ingressSource } from "../relay-source.ts";
import { lastTaken } from "../relay-taken.ts";
import { Relay } from "../relay.ts";
import { logMetadata } from "../log-stream.ts";
import type { Session } from "../session.ts";
import { MoveRefusedError } from "../errors.ts";
import { streamInfo, updateStream } from "./stream-admin.ts";

/** @returns the log's last position */
export async function freezeLog(from: Session, movedTo: string): Promise<Position> {
  const { ingressStream, stream } = from.subjects;
  const ingress = await required(from, ingressStream);
  if (!ingress.config.sealed) await seal(from, ingress.config, movedTo);
  const log = await required(from, stream);
  if (!log.config.sealed) {
    await drainIngress(from);
    await seal(from, (await required(from, stream)).config, movedTo);
  }
  return (await required(from, stream)).state.last_seq;
}

function seal(from: Session, config: StreamConfig, movedTo: string): Promise<void> {
  const metadata = { ...config.metadata, [logMetadata.movedTo]: movedTo };
  return updateStream(from, { ...config, metadata, sealed: true });
}

/** Takes what lies in the ingress into the log, whether a worker does so as well or not. */
async function drainIngress(from: Session): Promise<void> {
  const { last_seq: last } = (await required(from, from.subjects.ingressStream)).state;
  const source = ingressSource(from.subjects);
  if ((await lastTaken(from, source)).sequence >= last) return;
  const relay = new Relay(from, source);
  try {
    while ((await lastTaken(from, source)).sequence < last) await nextLook();
  } finally {
    await relay.stop();
  }
}

function nextLook(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, lookMs));
}

const lookMs = 50;

async function required(
  session: Session,
  name: string,
): Promise<NonNullable<Awaited<ReturnType<typeof streamInfo>>>> {
  const info = await streamInfo(session, name);
  if (info !== undefined) return info;
  throw new MoveRefusedError(`The stream ${name} is gone.`, { details: { stream: name } });
}
