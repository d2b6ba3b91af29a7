/**
 * A system to simulate: the user's agents, the events from outside, and the rules that must hold in
 * the end.
 */
import type { AgentDefinition } from "@troupe/core/engine";
import type { Troupe, WorkerOptions, IncomingCall, StepInfo } from "@troupe/core";
import type { Log, LogLimits } from "@troupe/core/log";
import type { DuplicateWindowLimits } from "../memory/duplicate-window.ts";
import type { MemoryBroker } from "../memory/memory-broker.ts";
import type { Chance } from "./chance.ts";
import type { FaultOptions } from "./fault-plan.ts";
import type { History } from "./history.ts";

/**
 * The stage that `drive` plays on. All waiting in it is virtual; it must not wait for anything
 * outside of the simulation.
 */
export interface Stage {
  readonly seed: number;
  /** The drive's own chance. In `times`, use the one that the action gets. */
  readonly chance: Chance;
  /** The log behind everything, for messages from foreign clients. */
  readonly broker: MemoryBroker;
  /** Milliseconds since the epoch, in virtual time. */
  now(): number;
  /**
   * Resolves after so many virtual milliseconds; in a handler, of its process's clock.
   *
   * @example
   * ```ts
   * await stage.wait(1000);
   * ```
   */
  wait(delayMs: number): Promise<void>;
  /**
   * Do something `count` times, each at a moment of its own within `withinMs`, several at once. An
   * action that rejects fails the simulation. Shrinking a failure leaves actions out, so an action
   * must not rely on another one.
   *
   * @example
   * ```ts
   * await stage.times(10, (index) =>
   *   troupe.send(account, `key-${index}`).deposit({ amount: 1 }),
   * );
   * ```
   */
  times(
    count: number,
    action: (index: number, chance: Chance) => Promise<unknown>,
    options?: { readonly withinMs?: number },
  ): Promise<void>;
  /**
   * An effect outside of the log, for the function of a step: it takes up to `withinMs`, another
   * time in every run, and resolves with a receipt that no other run has. Return it, alone or
   * within something: a recorded effect must never run again (I6), and none may run before all
   * messages to the agent that came earlier have their turns (I13). @default withinMs 20
   */
  effect(step: StepInfo, withinMs?: number): Promise<string>;
  /** Stop all workers as they should, and start none until `startWorkers`. */
  stopWorkers(): Promise<void>;
  startWorkers(): void;
}

export interface System {
  /** @default "system" */
  readonly name?: string;
  readonly agents: AgentDefinition | readonly AgentDefinition[];
  /**
   * Earlier versions of the agents, the oldest first, which was there before the run. Workers of
   * all versions run side by side; the fault `deploy` brings an earlier one back for a while, and
   * in the end all run `agents`.
   */
  readonly earlier?: readonly (AgentDefinition | readonly AgentDefinition[])[];
  /** Workers at a time. Minimum 1. @default 2 */
  readonly workers?: number;
  /** Partitions of the log. @default 4 */
  readonly partitions?: number;
  /** Events from outside. The client never dies; a message that it is told is accepted, is. */
  readonly drive: (client: Troupe, stage: Stage) => Promise<void>;
  /** Check of the history when everything is handled; throws when a rule does not hold. */
  readonly check?: (history: History) => void;
  readonly faults?: FaultOptions;
  /**
   * Messages that end the process that handles them, before the handler runs: it dies at once, or
   * it stands still, as in an endless loop, until it is killed after 10 s. Another one takes its
   * place.
   */
  readonly fatal?: (call: IncomingCall) => "kills" | "blocks" | undefined;
  /**
   * Work that every worker's process does besides, such as running a projection, as long as it
   * lives.
   */
  readonly beside?: (troupe: Troupe, stage: Stage) => Promise<unknown>;
  /**
   * Settings of the workers; those that are not given are drawn from the seed, often tight ones.
   */
  readonly settings?: Omit<WorkerOptions, "id">;
  /** Bounds on what the log stores. @default that of the memory broker */
  readonly limits?: Partial<LogLimits>;
  /** Time that the log remembers message ids, and their number. @default 2 minutes, 100,000 ids */
  readonly duplicates?: Partial<DuplicateWindowLimits>;
  /** Most steps of one run; more mean that it does not come to an end. @default 200,000 */
  readonly stepsMax?: number;
  /**
   * Virtual milliseconds that everything may take to be handled after the drive and the faults.
   * @default 600,000
   */
  readonly restMsMax?: number;
  /**
   * Replaces the log of every worker: a defect on purpose, to see that the simulation finds it.
   */
  readonly sabotage?: (log: Log, broker: MemoryBroker) => Log;
}
