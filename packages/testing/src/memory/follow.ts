/** Following the memory log: from a position on, filtered, to the present end or for ever. */
import type { FollowRequest, LogEntry } from "@troupe/core/log";
import { positionOf } from "./parts.ts";
import type { Server } from "./server.ts";
import { closed, type Wire } from "./wire.ts";

/**
 * Follow the log; the meaning of "new" and "until now" is settled here, at the call and not at the
 * first iteration.
 */
export function follow(
  server: Server,
  wire: Wire,
  request: FollowRequest,
): AsyncIterable<LogEntry> {
  const { entries } = server.storage;
  const first = request.from === "new" ? entries.length : Math.max(0, request.from - 1);
  const end = request.untilNow === true ? entries.length : Number.POSITIVE_INFINITY;
  return entriesBetween(server, wire, { request, first, end });
}

interface Span {
  readonly request: FollowRequest;
  /** Index of the first entry. */
  readonly first: number;
  /** Index after the last entry. */
  readonly end: number;
}

async function* entriesBetween(server: Server, wire: Wire, span: Span): AsyncGenerator<LogEntry> {
  const { entries } = server.storage;
  const { signal } = span.request;
  refuseClosed(wire);
  let next = span.first;
  const pending = new PendingCount(server, span);
  let handedOver = 0;
  pending.tell(handedOver);
  while (next < span.end) {
    if (signal?.aborted === true) return;
    refuseClosed(wire);
    const entry = wire.reachable ? entries[next] : undefined;
    if (entry === undefined) {
      await change(server, wire, signal);
      continue;
    }
    next += 1;
    if (!isWanted(server, entry, span.request)) continue;
    handedOver += 1;
    pending.tell(handedOver);
    yield entry;
  }
}

/** Counts the matching entries, looking at each of them once. */
class PendingCount {
  readonly #server: Server;
  readonly #span: Span;
  /** Index of the first entry that was not looked at. */
  #unseen: number;
  #matching = 0;

  constructor(server: Server, span: Span) {
    this.#server = server;
    this.#span = span;
    this.#unseen = span.first;
  }

  /** Says how many match after those that were handed over. */
  tell(handedOver: number): void {
    const { request, end } = this.#span;
    if (request.onPending === undefined) return;
    const { entries } = this.#server.storage;
    for (; this.#unseen < Math.min(entries.length, end); this.#unseen++) {
      const entry = entries[this.#unseen];
      if (entry !== undefined && isWanted(this.#server, entry, request)) this.#matching += 1;
    }
    request.onPending(this.#matching - handedOver);
  }
}

function refuseClosed(wire: Wire): void {
  if (wire.state === "closed") throw closed("follow");
}

/**
 * Resolves when an entry was stored, a pause ended, the connection closed or the signal fired.
 * Never after a crash.
 */
async function change(server: Server, wire: Wire, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => {
    if (wire.state !== "crashed") server.schedule(resolve);
  };
  const ends = [
    server.storage.watch("everything", wake),
    server.pauses.add(wake),
    wire.onChange(wake),
    wire.onEnd(wake),
  ];
  signal?.addEventListener("abort", wake);
  await promise;
  for (const end of ends) end();
  signal?.removeEventListener("abort", wake);
}

/**
 * A filter hides what it cannot be about: unroutable messages, and with agent types also dead
 * letters of no agent.
 */
function isWanted(server: Server, entry: LogEntry, request: FollowRequest): boolean {
  const { topics, types, kinds } = request;
  if (entry.kind === "input" && server.storage.isUnroutable(entry.input.position)) {
    return topics === undefined && types === undefined && kinds === undefined;
  }
  if (server.storage.isRemoved(positionOf(entry))) return false;
  if (kinds !== undefined && !kinds.includes(entry.kind)) return false;
  const type = typeOf(entry);
  if (type !== undefined) return types?.includes(type) ?? true;
  if (entry.kind !== "input") return types === undefined;
  return topics?.includes(entry.input.address.name) ?? true;
}

/** The agent type an entry belongs to, if it belongs to one. */
function typeOf(entry: LogEntry): string | undefined {
  if (entry.kind === "turn") return entry.agent.type;
  if (entry.kind === "dead-letter") return entry.deadLetter.agent?.type;
  return entry.input.address.kind === "agent" ? entry.input.address.name : undefined;
}
