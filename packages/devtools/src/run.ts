/** Input of every command beside its arguments, and the one thing that it gives back. */
import type { Interruption } from "./interruption.ts";
import type { Terminal } from "./terminal/terminal.ts";

export interface Run {
  readonly terminal: Terminal;
  readonly interruption: Interruption;
  /** Exit status when the command returns normally. */
  exitCode: number;
}
