/** Subjects that a stream has messages on, as the server counts them. */
import { tokenToKey } from "@troupe/core/log";

import { apiRequest } from "./api-request.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";

export interface StreamState {
  readonly messages: number;
  readonly bytes: number;
  readonly first_seq: number;
  readonly last_seq: number;
}

interface InfoPage {
  readonly total?: number;
  readonly state: StreamState & { readonly subjects?: Readonly<Record<string, number>> };
}

/** A page of subjects, with how many messages each has. */
export interface SubjectsPage {
  readonly state: StreamState;
  readonly subjects: readonly (readonly [subject: string, messages: number])[];
}

/** Subjects of a stream that match a filter, in pages of as many as the server likes. */
export async function* storedSubjects(
  session: Session,
  stream: string,
  filter: string,
): AsyncGenerator<SubjectsPage, void, undefined> {
  for (let offset = 0; ;) {
    const request = { subjects_filter: filter, offset };
    const attempt = (): Promise<InfoPage> =>
      apiRequest<InfoPage>(session, `STREAM.INFO.${stream}`, request);
    const { state, total = 0 } = await retryUnavailable(attempt, {
      timeoutMs: session.acceptTimeoutMs,
    });
    const subjects = Object.entries(state.subjects ?? {});
    yield { state, subjects };
    offset += subjects.length;
    if (subjects.length === 0 || offset >= total) return;
  }
}

/** @throws LogUnavailableError */
export async function keysOf(
  session: Session,
  type: string,
  partition: number,
): Promise<readonly string[]> {
  const { namespace, stream } = session.subjects;
  const beginning = `${namespace}.${partition}.journal.${type}.`;
  // What goes between two pages moves the others, so one may come twice.
  const tokens = new Set<string>();
  for await (const { subjects } of storedSubjects(session, stream, `${beginning}*`)) {
    for (const [subject] of subjects) tokens.add(subject.slice(beginning.length));
  }
  return [...tokens].map(tokenToKey);
}
