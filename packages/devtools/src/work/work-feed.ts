/** A worker's activity, as it happens: readable lines, or every event as a line of JSON. */
import { systemClock } from "@troupe/core/log";
import type { InspectionEvent } from "@troupe/core";
import { entryLine } from "../terminal/entry-line.ts";
import { toJson } from "../terminal/json.ts";
import { counted } from "../terminal/quantities.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Holdings } from "./holdings.ts";
import { RateLimit } from "./rate-limit.ts";
import { readableEvent } from "./readable-event.ts";

/** Form in which the feed is shown. */
export type FeedFormat = "lines" | "json" | "quiet";

/** Of each kind of event. */
const linesPerSecondMax = 50;
/** Partitions come and go in groups; the group is one line. */
const settleMs = 100;

/** Too much for a feed that people follow, and derivable from the other events. */
const left = new Set<InspectionEvent["kind"]>([
  "agent.activated",
  "agent.passivated",
  "commit.stored",
  "message.sent",
  "reply.sent",
  "turn.started",
]);

export class WorkFeed {
  readonly #terminal: Terminal;
  readonly #format: FeedFormat;
  readonly #holdings: Holdings;
  readonly #limits = new Map<string, RateLimit>();
  #givenBack = 0;
  #cancelHoldings: (() => void) | undefined;

  constructor(terminal: Terminal, format: FeedFormat, holdings: Holdings) {
    this.#terminal = terminal;
    this.#format = format;
    this.#holdings = holdings;
  }

  /** Runs that the worker's stop left without an outcome. */
  get givenBack(): number {
    return this.#givenBack;
  }

  hear(event: InspectionEvent): void {
    if (event.kind === "turn.given-back") this.#givenBack += 1;
    if (this.#format === "quiet") return;
    if (this.#format === "json") this.#printJson(event);
    else this.#printLine(event);
  }

  /** Show what is still held back. */
  close(): void {
    this.#cancelHoldings?.();
    for (const limit of this.#limits.values()) limit.close();
  }

  #printJson(event: InspectionEvent): void {
    if (left.has(event.kind)) return;
    this.#terminal.print(toJson({ at: new Date().toISOString(), ...event }));
  }

  #printLine(event: InspectionEvent): void {
    if (this.#holdings.hear(event)) {
      this.#cancelHoldings ??= systemClock.after(settleMs, () => this.#printHoldings());
      return;
    }
    const entry = readableEvent(event);
    if (entry === undefined || !this.#limit(event.kind).allows()) return;
    this.#terminal.print(entryLine(entry, this.#terminal));
  }

  #limit(kind: InspectionEvent["kind"]): RateLimit {
    const found = this.#limits.get(kind);
    if (found !== undefined) return found;
    const made = new RateLimit(linesPerSecondMax, systemClock, (leftOut) => {
      const what = kind === "turn.committed" ? counted(leftOut, "more turn") : `${leftOut} more`;
      this.#note(kind === "turn.committed" ? "turns" : kind, `${what} in that second`);
    });
    this.#limits.set(kind, made);
    return made;
  }

  #printHoldings(): void {
    this.#cancelHoldings = undefined;
    this.#note("partitions", `holds ${String(this.#holdings)}`);
  }

  #note(address: string, summary: string): void {
    const entry = { kind: "note", atMs: Date.now(), address, summary } as const;
    this.#terminal.print(entryLine(entry, this.#terminal));
  }
}
