/** Requests of a move to the server about streams. Each can be asked for again. */
import type { StreamConfig, StreamInfo } from "@nats-io/jetstream";
import { LogRefusedError } from "@troupe/core/errors";

import { apiRequest } from "../api-request.ts";
import { leaderGet, type LeaderMessage } from "../leader-get.ts";
import { retryUnavailable } from "../retry.ts";
import type { Session } from "../session.ts";
import type { NewStream } from "../log-stream.ts";

const streamNotFound = 10059;
const patienceMs = 60_000;

function request<T>(session: Session, subject: string, body: object): Promise<T> {
  return retryUnavailable(() => apiRequest<T>(session, subject, body), { timeoutMs: patienceMs });
}

/** Message that the leader has, asked until it answers. */
export function leaderMessage(
  session: Session,
  stream: string,
  body: Parameters<typeof leaderGet>[2],
): Promise<LeaderMessage | undefined> {
  return retryUnavailable(() => leaderGet(session, stream, body), { timeoutMs: patienceMs });
}

/** Undefined when there is no such stream. */
export async function streamInfo(session: Session, name: string): Promise<StreamInfo | undefined> {
  try {
    return await request<StreamInfo>(session, `STREAM.INFO.${name}`, {});
  } catch (error) {
    const isMissing =
      error instanceof LogRefusedError && error.details["serverCode"] === streamNotFound;
    if (isMissing) return undefined;
    throw error;
  }
}

export async function createStream(session: Session, config: NewStream): Promise<void> {
  await request(session, `STREAM.CREATE.${config.name}`, config);
}

/** The whole configuration: a setting that is left out is taken away. */
export async function updateStream(
  session: Session,
  config: Partial<StreamConfig> & { readonly name: string },
): Promise<void> {
  await request(session, `STREAM.UPDATE.${config.name}`, config);
}

/** Removes what lies under a filter, but for the last `keep` messages. */
export async function purge(
  session: Session,
  stream: string,
  { filter, keep = 0 }: { readonly filter: string; readonly keep?: number },
): Promise<void> {
  await request(session, `STREAM.PURGE.${stream}`, { filter, ...(keep > 0 ? { keep } : {}) });
}

/** Removes a stream, if it is there. */
export async function removeStream(session: Session, name: string): Promise<void> {
  if ((await streamInfo(session, name)) === undefined) return;
  await request(session, `STREAM.DELETE.${name}`, {});
}

/** Number of messages under a filter. */
export async function countUnder(
  session: Session,
  stream: string,
  filter: string,
): Promise<number> {
  let count = 0;
  for await (const [, messages] of subjectsUnder(session, stream, filter)) count += messages;
  return count;
}

/** Subjects under a filter, with how many messages each has. */
export async function* subjectsUnder(
  session: Session,
  stream: string,
  filter: string,
): AsyncGenerator<readonly [string, number], undefined> {
  for (let offset = 0; ;) {
    const page = await request<SubjectPage>(session, `STREAM.INFO.${stream}`, {
      subjects_filter: filter,
      offset,
    });
    const counts = Object.entries(page.state.subjects ?? {});
    yield* counts;
    offset += counts.length;
    if (counts.length === 0 || offset >= (page.total ?? 0)) return undefined;
  }
}

interface SubjectPage {
  readonly total?: number;
  readonly state: { readonly subjects?: Readonly<Record<string, number>> };
}
