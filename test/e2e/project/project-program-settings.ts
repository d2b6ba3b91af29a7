/** Settings of a projecting process. */
import type { OpenPostgresOptions } from "@troupe/postgres";

import { Program } from "../program.ts";

export interface ProjectProgramSettings {
  /** The projection's name. */
  readonly name: string;
  readonly namespace: string;
  readonly nats: string;
  readonly database: OpenPostgresOptions;
  /** Stand still after so many written events. @default never */
  readonly holdAt?: number;
  /** Moves the checkpoint in a transaction of its own. @default false */
  readonly isSabotaged?: boolean;
}

const script = new URL("./project-program.ts", import.meta.url);

/** Start a process; resolves when its projection runs. */
export function startProjecting(settings: ProjectProgramSettings): Promise<Program> {
  return Program.start(script, settings);
}
