/**
 * An agent's mailbox as the committer sees it: the turns to store, and calls that tell what became
 * of them.
 */
import type { AgentId } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { TroupeError } from "../../errors/troupe-error.ts";
import type { LogLimits } from "../../log/log-limits.ts";
import type { Turn } from "../turn/turn.ts";

export interface Committing {
  readonly agent: AgentId;
  /** Position of the journal's last record as far as is known; 0 before the first. */
  readonly revision: Position;
  /** True while it is on the committer's list. */
  scheduled: boolean;
  /** The turns to commit next, empty while others are on their way. */
  takeReady(limits: LogLimits): readonly Turn[];
  /** The log stored the turns that `takeReady` gave. */
  committed(revisions: readonly Position[]): void;
  /** A commit was refused by the fence or its outcome is unknown: start again from the journal. */
  recover(): void;
  /** The log will never store one of the turns: find it, and record that instead. */
  refuse(error: TroupeError): void;
}
