/** Settings of a worker of the pipeline. */
import { Program } from "../program.ts";
import type { MeasureStage } from "./measure.ts";

export interface MeasureWorkerSettings {
  readonly id: string;
  readonly url: string;
  readonly namespace: string;
  readonly stuckAt?: MeasureStage;
}

const script = new URL("./measure-worker.ts", import.meta.url);

/** Start a worker process; resolves when it has taken its share. */
export function startMeasureWorker(settings: MeasureWorkerSettings): Promise<Program> {
  return Program.start(script, settings);
}
