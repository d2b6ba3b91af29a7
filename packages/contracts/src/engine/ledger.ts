/** The agent most checks play with: it notes texts, and its state is the list of what it noted. */
import { agent, type Agent } from "@troupe/core";
import type { None, Schema } from "@troupe/core/engine";
import type { Troupe, Context } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import { turnsOf } from "@troupe/core/operate";
import { range } from "../drafts.ts";
import { everything } from "../observe.ts";
import type { TurnRecord } from "@troupe/core/operate";

export interface Note {
  readonly text: string;
}
export interface LedgerState {
  readonly notes: readonly string[];
}
export interface LedgerEvents {
  readonly noted: Note;
}
export type LedgerContext = Context<LedgerState, LedgerEvents>;
export interface LedgerMessages {
  readonly note: { readonly input: Note; readonly reply: number };
}
export type Ledger = Agent<LedgerState, None & LedgerEvents, None & LedgerMessages>;

/** A schema of our own: the suite depends on no schema library. */
export function schemaOf<Value>(fits: (value: unknown) => boolean): SchemaOf<Value> {
  return {
    "~standard": {
      version: 1,
      vendor: "troupe-contract",
      validate: (value) =>
        fits(value) ? { value: value as Value } : { issues: [{ message: "it does not fit" }] },
    },
  };
}

export type SchemaOf<Value> = Schema & {
  readonly "~standard": { readonly types?: { readonly input: Value; readonly output: Value } };
};

export const noteSchema: SchemaOf<Note> = schemaOf<Note>(
  (value) => typeof (value as Partial<Note> | null)?.text === "string",
);

/** A schema that accepts every value. */
export function anything<Value>(): SchemaOf<Value> {
  return schemaOf<Value>(() => true);
}

/**
 * A ledger whose `note` emits first and then does what `handle` does, so that a turn that fails has
 * something to throw away. The reply is the number of notes.
 */
export function ledger(
  handle: (context: LedgerContext, note: Note) => unknown = () => undefined,
  type = "ledger",
): Ledger {
  return agent(type)
    .state<LedgerState>({ notes: [] })
    .event("noted", noteSchema, (state, { text }) => ({ notes: [...state.notes, text] }))
    .on("note", noteSchema, (context, note) => {
      context.emit.noted(note);
      const outcome = handle(context, note);
      const count = context.state.notes.length;
      return outcome instanceof Promise ? outcome.then(() => count) : count;
    });
}

/** An agent's turn records, read without the engine. */
export async function recordsOf(log: Log, key: string, type = "ledger"): Promise<TurnRecord[]> {
  const records: TurnRecord[] = [];
  for await (const { record } of turnsOf(log, { type, key })) records.push(record);
  return records;
}

/** Notes of an agent, turn by turn, as its journal has them. */
export async function notesOf(log: Log, key: string, type = "ledger"): Promise<string[]> {
  return (await recordsOf(log, key, type)).flatMap((record) => textsOf(record));
}

export function textsOf(record: TurnRecord): string[] {
  return record.events.map(({ data }) => (data as Note).text);
}

/** The codes of all dead letters, in log order. */
export async function lettersOf(log: Log): Promise<string[]> {
  return (await everything(log)).flatMap((entry) =>
    entry.kind === "dead-letter" ? [entry.deadLetter.failure.code] : [],
  );
}

/** Sends `0`, `1`, … to every key, each key in order. */
export async function sendTo(
  client: Troupe,
  book: Ledger,
  receivers: readonly string[],
  count: number,
): Promise<void> {
  for (const i of range(count)) {
    await Promise.all(receivers.map((key) => client.send(book, key).note({ text: `${i}` })));
  }
}
