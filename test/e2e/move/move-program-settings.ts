/** Settings of a process that moves a log. */
import { Program } from "../program.ts";

export interface MoveProgramSettings {
  readonly url: string;
  readonly from: string;
  readonly to: string;
  readonly partitions: number;
  readonly shards?: number;
}

const script = new URL("./move-program.ts", import.meta.url);

export function startMoving(settings: MoveProgramSettings): Promise<Program> {
  return Program.start(script, settings);
}
