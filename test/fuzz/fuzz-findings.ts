/**
 * Traces what became of every foreign message, read from the broker alone: each that was
 * acknowledged was handled, is one dead letter, or lies on the log for somebody who does not exist.
 * Nothing vanishes.
 */
import type { MsgHdrs } from "@nats-io/nats-core";
import { decodeJournalRecord, type TurnRecord } from "@troupe/core/operate";

/** A message of the log's stream. */
export interface StoredMessage {
  readonly seq: number;
  readonly subject: string;
  readonly headers?: MsgHdrs | undefined;
  readonly data: Uint8Array;
}

interface Fate {
  /** Sequence in the ingress; 0 for a message of our own. */
  readonly ingress: number;
  readonly subject: string;
  readonly isHosted: boolean;
  turns: number;
  isFailure: boolean;
  letters: number;
}

export class FuzzFindings {
  readonly #prefix: string;
  readonly #fates = new Map<number, Fate>();
  readonly #taken = new Map<number, number>();
  readonly #notes = new Map<string, number[]>();
  readonly #odd: string[] = [];

  constructor(namespace: string) {
    this.#prefix = `${namespace}.`;
  }

  /** In log order. */
  add({ data, headers, seq, subject }: StoredMessage): void {
    const rest = subject.slice(subject.indexOf(".", this.#prefix.length) + 1);
    const [what, kind = "", name = ""] = rest.split(".");
    if (what === "in" || what === "unroutable") {
      const isHosted = what === "unroutable" || hosted.has(`${kind}.${name}`);
      this.#input(seq, { subject: rest, isHosted, ingress: ingressOf(headers) });
    } else if (what === "journal") {
      this.#turn(rest, data);
    } else if (what === "dead") {
      this.#letter(seq, rest, Number(headers?.get("Troupe-Dead-Position")));
    } else if (what !== "taken") this.#odd.push(`${seq}: a message under ${rest}`);
  }

  /** The numbers that the neighbour of this key noted, in order. */
  notesOf(key: string): readonly number[] {
    return this.#notes.get(key) ?? [];
  }

  get handled(): number {
    return [...this.#fates.values()].filter(({ turns }) => turns > 0).length;
  }

  get letters(): number {
    return [...this.#fates.values()].reduce((sum, { letters }) => sum + letters, 0);
  }

  /**
   * Breaches that were found; `acknowledged` are the sequences that the ingress told its publisher.
   */
  breaches(acknowledged: Iterable<number>): readonly string[] {
    const found = [...this.#odd];
    for (const ingress of acknowledged) {
      const times = this.#taken.get(ingress) ?? 0;
      if (times !== 1) found.push(`${ingress} of the ingress is ${times} times on the log`);
    }
    for (const [seq, fate] of this.#fates) {
      const why = wrongWith(fate);
      if (why !== undefined) found.push(`${seq} (${fate.subject}) ${why}`);
    }
    return found;
  }

  #input(seq: number, fate: Pick<Fate, "subject" | "isHosted" | "ingress">): void {
    this.#fates.set(seq, { ...fate, turns: 0, isFailure: false, letters: 0 });
    const { ingress } = fate;
    if (ingress > 0) this.#taken.set(ingress, (this.#taken.get(ingress) ?? 0) + 1);
  }

  #turn(subject: string, data: Uint8Array): void {
    let record: TurnRecord | undefined;
    try {
      record = recordOf(data);
    } catch {
      this.#odd.push(`a record under ${subject} that nobody can read`);
    }
    if (record === undefined) return;
    const fate = this.#fates.get(record.inputPosition);
    if (fate === undefined) {
      this.#odd.push(`a turn under ${subject} for ${record.inputPosition}, where no input is`);
      return;
    }
    fate.turns += 1;
    fate.isFailure = record.failure !== undefined;
    const [, type, key = ""] = subject.split(".");
    if (type !== "neighbour") return;
    const notes = record.events.map(({ data: event }) => (event as { readonly n: number }).n);
    this.#notes.set(key, [...(this.#notes.get(key) ?? []), ...notes]);
  }

  #letter(seq: number, subject: string, position: number): void {
    const fate = this.#fates.get(position);
    if (fate === undefined) this.#odd.push(`${seq}: a dead letter ${subject} of nothing`);
    else fate.letters += 1;
  }
}

function wrongWith({ isFailure, isHosted, letters, turns }: Fate): string | undefined {
  if (!isHosted) return turns + letters > 0 ? "was handled, though nobody hosts it" : undefined;
  if (turns > 1) return `has ${turns} turns`;
  if (letters > 1) return `has ${letters} dead letters`;
  if (turns + letters === 0) return "was neither handled nor is it a dead letter";
  if (isFailure && letters === 0) return "failed without a dead letter";
  return turns === 1 && !isFailure && letters > 0 ? "was handled and is a dead letter" : undefined;
}

const hosted: ReadonlySet<string> = new Set(["agent.target", "agent.neighbour", "topic.noise"]);

function ingressOf(headers: MsgHdrs | undefined): number {
  return Number(headers?.get("Troupe-Foreign")) || 0;
}

/** Undefined for records of steps and parking, which are no turns. */
function recordOf(data: Uint8Array): TurnRecord | undefined {
  const record = decodeJournalRecord(data);
  return record.kind === "turn" ? record.turn : undefined;
}
