/** Settings of a process that hosts customers. */
import { Program } from "../program.ts";

export interface CustomerWorkerSettings {
  readonly id: string;
  readonly url: string;
  readonly namespace: string;
  /** Directory of the archive. */
  readonly archive: string;
}

const script = new URL("./customer-worker.ts", import.meta.url);

export function startCustomerWorker(settings: CustomerWorkerSettings): Promise<Program> {
  return Program.start(script, settings);
}
