/**
 * Effects outside of the log, such as a payment, as the world sees them: every run is counted, and
 * nothing is deduplicated.
 *
 * An effect takes its time on the clock of the process that runs it, another time in every run, so
 * that effects which run at once end in another order each time. With its process it dies.
 */
import { AsyncLocalStorage } from "node:async_hooks";

import type { Position } from "@troupe/core/log";
import type { StepInfo } from "@troupe/core";
import type { VirtualClock } from "./agenda.ts";
import type { Chance } from "./chance.ts";

/** The place of an effect outside of the log: a handler, in its process. */
export interface EffectPlace {
  readonly process: string;
  readonly clock: VirtualClock;
  /** `type/key` of the agent whose handler runs. */
  readonly agent: string;
  readonly inputPosition: Position;
}

/** The handler that runs. */
export const effectPlace: AsyncLocalStorage<EffectPlace> = new AsyncLocalStorage();

/** A run of an effect. */
export interface EffectRun {
  /** Different for every run. */
  readonly receipt: string;
  /** The same in all runs of one effect: its step's idempotency key. */
  readonly key: string;
  /** Undefined for what runs in no handler of its own, as in a batch. */
  readonly place: Omit<EffectPlace, "clock"> | undefined;
  /** Position up to which its process had seen the journal of its agent. */
  readonly seen: Position;
  /** Earlier messages to its agent that had no turn when it began. */
  readonly before: readonly string[];
}

export interface EffectLedgerHost {
  /** Position up to which a process has seen an agent's journal. */
  seen(process: string, agent: string): Position;
  /** Messages to an agent before this position that have no turn yet. */
  unhandledBefore(agent: string, position: Position): readonly string[];
  readonly clock: VirtualClock;
  readonly chance: Chance;
}

export class EffectLedger {
  readonly runs: EffectRun[] = [];
  readonly #host: EffectLedgerHost;

  constructor(host: EffectLedgerHost) {
    this.#host = host;
  }

  /** Run an effect; resolves with the receipt of this run. */
  async run({ idempotencyKey, signal }: StepInfo, withinMs: number): Promise<string> {
    const place = effectPlace.getStore();
    const receipt = `effect-${this.runs.length + 1}`;
    this.runs.push({
      receipt,
      key: idempotencyKey,
      place,
      seen: place === undefined ? 0 : this.#host.seen(place.process, place.agent),
      before:
        place === undefined ? [] : this.#host.unhandledBefore(place.agent, place.inputPosition),
    });
    const delayMs = this.#host.chance.next() * withinMs;
    await waitFor(place?.clock ?? this.#host.clock, delayMs, signal);
    return receipt;
  }
}

/** Receipts that stand in a step's value. */
export function receiptsIn(value: unknown): readonly string[] {
  return JSON.stringify(value ?? "").match(/effect-\d+/g) ?? [];
}

function waitFor(clock: VirtualClock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.sleep(delayMs, resolve);
    const end = (): void => {
      cancel();
      reject(signal.reason as Error);
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}
