/** The dead letter that a position means, and how a person is told of one. */
import { agentName } from "@troupe/core/log";
import { decodeJournalRecord } from "@troupe/core/operate";
import type { Troupe } from "@troupe/core";
import type { AgentId, Position } from "@troupe/core/log";
import type { PlacedLetter } from "@troupe/core/operate";
import { CommandError, InterruptedError } from "../failure.ts";
import { shellWord } from "../terminal/shell-word.ts";

/**
 * The dead letter at a position, or the one that tells of the message at that position, or of the
 * turn whose record lies there, because those are the positions on the lines of a feed and of
 * `troupe inspect`. @throws CommandError when
 * there is none, or more than one; InterruptedError
 */
export async function deadLetterAt(
  troupe: Troupe,
  position: Position,
  signal: AbortSignal,
): Promise<PlacedLetter> {
  const request = { from: position, untilNow: true, kinds: ["dead-letter"], signal } as const;
  const ofInput: PlacedLetter[] = [];
  for await (const entry of troupe.follow(request)) {
    if (entry.kind !== "dead-letter") continue;
    if (entry.position === position) return entry;
    if (entry.deadLetter.inputPosition === position) ofInput.push(entry);
  }
  if (signal.aborted) throw new InterruptedError();
  const [letter, ...others] = ofInput;
  if (letter === undefined) return letterOfTurn(troupe, position, signal);
  if (others.length === 0) return letter;
  const positions = ofInput.map((each) => each.position);
  throw new CommandError(
    `Several dead letters tell of the message at position ${position}: name one of ${positions.join(", ")}.`,
    { details: { position, deadLetters: positions } },
  );
}

/** The dead letter of the turn whose record lies at a position. @throws CommandError */
async function letterOfTurn(
  troupe: Troupe,
  position: Position,
  signal: AbortSignal,
): Promise<PlacedLetter> {
  const request = {
    from: position,
    untilNow: true,
    kinds: ["turn", "dead-letter"],
    signal,
  } as const;
  let inputPosition: Position | undefined;
  for await (const entry of troupe.follow(request)) {
    if (entry.kind === "turn" && inputPosition === undefined) {
      if (entry.entry.revision !== position) break;
      const record = decodeJournalRecord(entry.entry.record);
      if (record.kind !== "turn") break;
      inputPosition = record.turn.inputPosition;
    }
    if (entry.kind !== "dead-letter" || inputPosition === undefined) continue;
    if (entry.deadLetter.inputPosition === inputPosition) return entry;
  }
  if (signal.aborted) throw new InterruptedError();
  throw noDeadLetter(position);
}

export function noDeadLetter(position: Position): CommandError {
  return new CommandError(
    `There is no dead letter at position ${position} (any more): \`troupe dlq list\` shows all.`,
    { details: { position } },
  );
}

/** The agent that could not handle it, or the address that was none. */
export function whose({ deadLetter: { agent, origin } }: PlacedLetter): string {
  return agent === undefined ? origin : agentName(agent);
}

/** The command that resumes a parked agent. */
export function resumeCommand(agent: AgentId): string {
  return `troupe park resume ${shellWord(agentName(agent))}`;
}
