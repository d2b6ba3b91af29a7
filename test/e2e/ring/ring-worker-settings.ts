/** Settings of a worker of the ring. */
import { Program } from "../program.ts";

export interface RingWorkerSettings {
  readonly id: string;
  readonly url: string;
  readonly namespace: string;
}

const script = new URL("./ring-worker.ts", import.meta.url);

export function startRingWorker(settings: RingWorkerSettings): Promise<Program> {
  return Program.start(script, settings);
}
