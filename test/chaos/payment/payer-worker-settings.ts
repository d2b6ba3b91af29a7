/** Settings of a worker of payers. */
import { Program } from "../../e2e/program.ts";

export interface PayerWorkerSettings {
  readonly id: string;
  readonly url: string;
  readonly namespace: string;
  readonly serviceUrl: string;
}

const script = new URL("./payer-worker.ts", import.meta.url);

/** Start a worker process; resolves when it has taken its share. */
export function startPayerWorker(settings: PayerWorkerSettings): Promise<Program> {
  return Program.start(script, settings);
}
