/**
 * The inputs of one agent, merged from the literal subjects on which they lie: its own, and one per
 * topic it subscribes to. A wildcard over a partition would read everybody's.
 */
import type { AgentId, Input, Position } from "@troupe/core";

import { getRange } from "./direct-get.ts";
import { inputSubject } from "./input-subject.ts";
import type { Session } from "./session.ts";
import { storedInput } from "./stored-input.ts";

interface InputsRequest {
  readonly agent: AgentId;
  readonly topics: readonly string[];
  readonly after: Position;
  readonly before: Position;
}

/** In log order, as many as come at once; empty at the end. @throws LogUnavailableError */
export async function inputsOf(
  session: Session,
  { agent, topics, after, before }: InputsRequest,
): Promise<readonly Input[]> {
  const { partitions, subjects } = session;
  const { key } = agent;
  const addresses = [
    { kind: "agent", name: agent.type, key } as const,
    ...topics.map((name) => ({ kind: "topic", name, key }) as const),
  ];
  const pages = await Promise.all(
    addresses.map((address) => {
      const subject = inputSubject(subjects, address, partitions);
      return getRange(session, { stream: subjects.stream, subject, after });
    }),
  );
  // A page may have been cut anywhere: nothing after the end of the shortest is known to be next.
  const ends = pages.flatMap((page) => page.at(-1)?.position ?? []);
  const known = Math.min(...ends);
  return pages
    .flat()
    .filter(({ position }) => position <= known && position < before)
    .toSorted((a, b) => a.position - b.position)
    .map(({ message, position, storedAtMs, subject }) =>
      storedInput(subjects, subject, message, { position, storedAtMs }),
    );
}
