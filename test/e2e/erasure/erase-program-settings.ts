/** Settings of a process that erases a customer. */
import { Program } from "../program.ts";

export interface EraseProgramSettings {
  readonly url: string;
  readonly namespace: string;
  readonly key: string;
  /** Directory of the archive. */
  readonly archive: string;
  /** Stands still before it destroys this part. @default never */
  readonly standsBefore?: string;
  /** Says so when it begins to destroy this part, and goes on. @default none */
  readonly says?: string;
}

const script = new URL("./erase-program.ts", import.meta.url);

/** Start it; resolves when it is about to begin. */
export function startErasing(settings: EraseProgramSettings): Promise<Program> {
  return Program.start(script, settings);
}
