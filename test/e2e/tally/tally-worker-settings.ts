/** What a test tells a tally worker to be, and what the worker tells about itself. */
import type { InspectionEvent, WorkerOptions } from "@troupe/core";
import type { Holding } from "@troupe/core/operate";

import { Program } from "../program.ts";

export interface TallyWorkerSettings {
  readonly id: string;
  readonly url: string;
  readonly namespace: string;
  /** Which agent types it hosts. @default both */
  readonly types?: readonly ("tally" | "copy")[];
  /**
   * `amnesia`: no input that is in a journal is recognised. `no replies`: replies never leave.
   * @default none
   */
  readonly fault?: "amnesia" | "no replies";
  /** Which version of the code it runs. From 2 on copies subscribe to marks. @default 1 */
  readonly generation?: number;
  /** Its tallies wait for a moment in the middle of their turns. @default false */
  readonly pausing?: boolean;
  readonly options?: Omit<WorkerOptions, "id">;
}

/** What a worker knows about itself. */
export interface Account {
  readonly holdings: readonly Holding[];
  /** How often each kind of inspection event came. */
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
