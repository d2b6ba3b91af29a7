/**
 * A log with the events of some counters on it, as if agents were at work, and the projection of
 * them that the checks run.
 */
import type { Agent, Troupe, ReadModel, Projection } from "@troupe/core";
import type { None, ProjectionOptions } from "@troupe/core/engine";
import { agent, createTroupe, projection } from "@troupe/core";
import type { Position } from "@troupe/core/log";
import { decodeRecord } from "@troupe/core/operate";
import { encodeRecord } from "@troupe/core/engine";
import type { MemoryBroker } from "@troupe/testing";
import { createMemoryBroker } from "@troupe/testing";
import { anything } from "../engine/ledger.ts";
import type { SinkHarness, SinkRow } from "./sink-harness.ts";

interface Counted {
  readonly n: number;
}

/** Counts, and says so; resets are of no interest to the projection. */
const counter: Agent<
  { total: number },
  None & { readonly counted: Counted } & { readonly reset: null },
  None
> = agent("counter")
  .state({ total: 0 })
  .event("counted", anything<Counted>(), ({ total }, { n }) => ({ total: total + n }))
  .event("reset", anything<null>(), () => ({ total: 0 }));

export class CounterLog implements AsyncDisposable {
  readonly broker: MemoryBroker = createMemoryBroker();
  readonly #log = this.broker.connect();
  readonly #revisions = new Map<string, Position>();
  readonly #troupes: Troupe[] = [];
  #turns = 0;

  /** A process on this log. */
  troupe(): Troupe {
    const troupe = createTroupe(this.broker.connect(), { onFault: false });
    this.#troupes.push(troupe);
    return troupe;
  }

  /** Stores one turn that counted these numbers, and was reset. */
  async count(key: string, ...numbers: readonly number[]): Promise<Position> {
    this.#turns += 1;
    const events = numbers.map((n) => ({ type: "counted", data: { n } }));
    const record = encodeRecord({
      turn: this.#turns,
      inputPosition: this.#turns,
      messageId: `m${this.#turns}`,
      message: "count",
      events: [...events, { type: "reset", data: null }],
      sent: [],
      log: "",
      receivedAtMs: 0,
      attempts: 1,
      traceparent: "",
      worker: "none",
      version: "none",
      acceptedAtMs: 0,
      startedAtMs: 0,
      tookMs: 0,
    });
    const expectedRevision = this.#revisions.get(key) ?? 0;
    const agentId = { type: counter.type, key };
    const [position = 0] = await this.#log.commit([
      { agent: agentId, expectedRevision, record, outgoing: [] },
    ]);
    this.#revisions.set(key, position);
    return position;
  }

  /** Stores `turns` turns of a few keys. */
  async countMany(turns: number, first = 0): Promise<void> {
    // A database's whole numbers have no −0.
    for (let n = first; n < first + turns; n++) await this.count(`key-${n % 3}`, n, 0 - n);
  }

  /** Rows that the projection must come to: all events in log order. */
  fold(): readonly SinkRow[] {
    return this.broker.entries().flatMap((entry) => {
      if (entry.kind !== "turn") return [];
      const { key } = entry.agent;
      return decodeRecord(entry.entry.record)
        .events.filter(({ type }) => type === "counted")
        .map(({ data }) => ({ key, n: (data as Counted).n }));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#troupes.map((troupe) => troupe.close()));
    await this.#log.close();
  }
}

/** Keeps every count as a row; `before` may throw. */
export function countsProjection(
  harness: SinkHarness,
  options: ProjectionOptions & { readonly before?: (n: number) => void } = {},
): Projection<ReadModel> {
  const { before = () => undefined, ...own } = options;
  return projection("counts", harness.model, own).on(
    counter,
    "counted",
    async (handle, { n }, { agent: { key } }) => {
      await harness.append(handle, { key, n });
      before(n);
    },
  );
}
