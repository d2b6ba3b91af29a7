/**
 * Whether every agent did exactly what it was told, once and in order.
 *
 * Nothing here runs the engine: it compares what was published, what the stream holds and what the
 * agents say about themselves.
 */
import { decodePayload } from "@troupe/core/log";

import type { RawInput, RawStream, RawTurn } from "../raw-stream.ts";
import { emptyTally, isCopied, tallyAfter, type Add, type Tally } from "./tally.ts";

/** Messages that were published, by key, in order. */
export type Published = ReadonlyMap<string, readonly Add[]>;

/** Each a list of sentences; all empty when everything is right. */
export interface Findings {
  /** Inputs that a journal has more than once. */
  readonly duplicates: string[];
  /** Inputs that no journal has. */
  readonly lost: string[];
  /** Turns out of log order, or for inputs that were never there. */
  readonly disordered: string[];
  readonly wrong: string[];
}

export const nothing: Findings = { duplicates: [], lost: [], disordered: [], wrong: [] };

/** Compare the stream with itself and with what was published. */
export function checkStream(published: Published, stream: RawStream): Findings {
  const findings: Findings = { duplicates: [], lost: [], disordered: [], wrong: [] };
  const inputs = Map.groupBy(stream.inputs, ({ name, key }) => `${name}/${key}`);
  const turns = Map.groupBy(stream.turns, ({ type, key }) => `${type}/${key}`);
  for (const name of new Set([...inputs.keys(), ...turns.keys()])) {
    checkJournal(name, inputs.get(name) ?? [], turns.get(name) ?? [], findings);
  }
  for (const [key, adds] of published) {
    const told = (inputs.get(`tally/${key}`) ?? []).flatMap(addOf);
    const copied = (inputs.get(`copy/${key}`) ?? []).flatMap(addOf);
    const counted = (turns.get(`tally/${key}`) ?? []).flatMap(eventsOf);
    compare(`the inputs of tally/${key}`, told, adds, findings);
    compare(`the events of tally/${key}`, counted, adds, findings);
    compare(`the inputs of copy/${key}`, copied, adds.filter(isCopied), findings);
    const received = (turns.get(`copy/${key}`) ?? []).flatMap(eventsOf);
    compare(`the events of copy/${key}`, received, adds.filter(isCopied), findings);
  }
  for (const { subject } of stream.deadLetters) findings.wrong.push(`a dead letter at ${subject}`);
  return findings;
}

/** Tally that must come of these. */
export function tallyOf(adds: readonly Add[]): Tally {
  return adds.reduce(tallyAfter, emptyTally);
}

/** The journal has each input once, in the order of the log. */
function checkJournal(
  name: string,
  inputs: readonly RawInput[],
  turns: readonly RawTurn[],
  findings: Findings,
): void {
  const handled = new Set<number>();
  let last = 0;
  for (const [index, { record }] of turns.entries()) {
    const { inputPosition, turn } = record;
    if (handled.has(inputPosition))
      findings.duplicates.push(`${name} handled ${inputPosition} again`);
    else if (inputPosition < last)
      findings.disordered.push(`${name}: ${inputPosition} after ${last}`);
    if (turn !== index + 1) findings.wrong.push(`${name}: turn ${turn} at place ${index + 1}`);
    handled.add(inputPosition);
    last = inputPosition;
  }
  const given = new Set(inputs.map(({ position }) => position));
  for (const position of given.difference(handled)) findings.lost.push(`${name}: ${position}`);
  for (const position of handled.difference(given)) {
    findings.disordered.push(`${name} handled ${position}, which is not its own`);
  }
}

function compare(
  what: string,
  actual: readonly Add[],
  expected: readonly Add[],
  findings: Findings,
): void {
  const numbers = (adds: readonly Add[]): string => adds.map(({ n }) => n).join(" ");
  if (tallyOf(actual).digest === tallyOf(expected).digest && actual.length === expected.length) {
    return;
  }
  findings.wrong.push(`${what}: ${numbers(actual)} instead of ${numbers(expected)}`);
}

/** The value in an input that carries one, whoever sent it. */
export function addOf({ headers, payload }: RawInput): readonly Add[] {
  const packed = headers?.get("Content-Type") === "application/msgpack";
  const value = decodePayload(payload, packed ? "application/msgpack" : undefined);
  const { add = value, hold = add } = value as { readonly add?: unknown; readonly hold?: unknown };
  return typeof (hold as Partial<Add>).n === "number" ? [hold as Add] : [];
}

function eventsOf({ record }: RawTurn): readonly Add[] {
  return record.events.map(({ data }) => data as Add);
}
