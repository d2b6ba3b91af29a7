/**
 * The inputs of one agent, merged from the literal subjects on which they lie: its own, and one per
 * topic it subscribes to. A wildcard over a partition would read everybody's.
 *
 * Each subject is answered by any replica, as a beginning of what is there: cut where the page is
 * full, or where that replica's copy ends. A firm answer therefore asks the leader, at the same
 * time, where each subject ends, and passes no position that a subject may have something before.
 */
import type { AgentId, Input, Position, ReadOptions } from "@troupe/core/log";

import { getRange, retryTimeoutMs, type StoredMessage } from "./direct-get.ts";
import { inputSubject } from "./input-subject.ts";
import { behind, leaderGet } from "./leader-get.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";
import { storedInput } from "./stored-input.ts";

interface InputsRequest {
  readonly agent: AgentId;
  readonly topics: readonly string[];
  readonly after: Position;
  readonly before: Position;
}

/** The beginning of what a subject has, and up to where it is all there is. */
interface SubjectPage {
  readonly messages: readonly StoredMessage[];
  readonly knownTo: Position;
}

/** In log order, as many as come at once; empty at the end. @throws LogUnavailableError */
export async function inputsOf(
  session: Session,
  { agent, topics, after, before }: InputsRequest,
  options: ReadOptions = {},
): Promise<readonly Input[]> {
  const { subjects } = session;
  const { key } = agent;
  const addresses = [
    { kind: "agent", name: agent.type, key } as const,
    ...topics.map((name) => ({ kind: "topic", name, key }) as const),
  ];
  const read = options.firm === true ? firmPage : page;
  const pages = await Promise.all(
    addresses.map((address) => read(session, inputSubject(subjects, address), after, options)),
  );
  const known = Math.min(...pages.map(({ knownTo }) => knownTo));
  return pages
    .flatMap(({ messages }) => messages)
    .filter(({ position }) => position <= known && position < before)
    .toSorted((a, b) => a.position - b.position)
    .map(({ message, position, storedAtMs, subject }) =>
      storedInput(subjects, subject, message, { position, storedAtMs }),
    );
}

/**
 * A page of inputs: where it has any, it may have been cut anywhere; where it is empty, it says
 * nothing.
 */
async function page(
  session: Session,
  subject: string,
  after: Position,
  { signal }: ReadOptions,
): Promise<SubjectPage> {
  const { stream } = session.subjects;
  const messages = await getRange(session, { stream, subject, after }, { signal });
  return { messages, knownTo: messages.at(-1)?.position ?? Infinity };
}

function firmPage(
  session: Session,
  subject: string,
  after: Position,
  { signal }: ReadOptions,
): Promise<SubjectPage> {
  const { stream } = session.subjects;
  const attempt = async (): Promise<SubjectPage> => {
    const [end, messages] = await Promise.all([
      leaderGet(session, stream, { last_by_subj: subject }),
      getRange(session, { stream, subject, after }, { signal }),
    ]);
    const last = messages.at(-1)?.position ?? after;
    if (end === undefined || end.seq <= last) return { messages, knownTo: Infinity };
    if (messages.length === 0) throw behind(stream, end.seq);
    return { messages, knownTo: last };
  };
  return retryUnavailable(attempt, { timeoutMs: retryTimeoutMs, signal });
}
