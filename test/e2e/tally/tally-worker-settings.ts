/** Settings of a tally worker, and what the worker tells about itself. */
import type { InspectionEvent, WorkerOptions } from "@troupe/core";
import type { Holding } from "@troupe/core/operate";

import { Program } from "../program.ts";

export interface TallyWorkerSettings {
  readonly id: string;
  readonly url: string;
  readonly namespace: string;
  /** Agent types that it hosts. @default both */
  readonly types?: readonly ("tally" | "copy")[];
  /**
   * `amnesia`: no input that is in a journal is recognised. `no replies`: replies never leave.
   * @default none
   */
  readonly fault?: "amnesia" | "no replies";
  /** Version of the code that it runs. From 2 on copies subscribe to marks. @default 1 */
  readonly generation?: number;
  /** Makes its tallies wait for a moment in the middle of their turns. @default false */
  readonly pausing?: boolean;
  readonly options?: Omit<WorkerOptions, "id">;
}

/** Knowledge of a worker about itself. */
export interface Account {
  readonly holdings: readonly Holding[];
  /** Number of inspection events, by kind. */
  readonly counts: Readonly<Partial<Record<InspectionEvent["kind"], number>>>;
}

const script = new URL("./tally-worker.ts", import.meta.url);

/** Start a worker process; resolves when it has taken its share. */
export function startTallyWorker(settings: TallyWorkerSettings): Promise<Program> {
  return Program.start(script, settings);
}

export async function accountOf(worker: Program): Promise<Account> {
  return (await worker.ask("account")) as Account;
}
