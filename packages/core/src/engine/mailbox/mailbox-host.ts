/** The parts of a worker that a mailbox needs. */
import type { TurnHost } from "../turn/turn-host.ts";
import type { AgentId } from "../../definition/message/address.ts";
import type { AddressedInputs } from "../runtime/addressed-inputs.ts";
import type { Suspicion } from "../runtime/suspicion.ts";
import type { SuspectLane } from "../runtime/suspect-lane.ts";
import type { AgentHistory } from "../history/agent-history.ts";
import type { Delivery } from "../runtime/delivery.ts";
import type { LogFooting } from "../../log/log-footing.ts";
import type { Committing } from "../commit/committing.ts";
import type { Turn } from "../turn/turn.ts";

/** Source of a mailbox's inputs. */
export interface MailboxPlace {
  readonly partition: number;
  /** Set when the partition's holder died: its inputs may be why. */
  readonly suspicion: Suspicion | undefined;
}

/** Where an entry is stored that is no turn. */
export interface Aside {
  /** Once nothing is on its way; no more turns run before that. */
  aside(store: () => Promise<void>): Promise<void>;
}

export interface MailboxHost extends TurnHost {
  /** Told after each commit, and of erasures: snapshots and base records. */
  readonly kept: {
    after(last: Turn, history: AgentHistory, line: Aside): void;
    erased(agent: AgentId): Promise<void>;
  };
  /** Reads back inputs that were left on the log. */
  readonly addressed: Pick<AddressedInputs, "belongs" | "next">;
  /** Told of what is read from journals. */
  readonly footing: Pick<LogFooting, "append" | "inDoubt" | "marks" | "read">;
  readonly committer: { schedule(mailbox: Committing): void };
  /** The order of messages that may end the process. */
  readonly suspects: SuspectLane;
  /** Told of every run that ends without an outcome because the worker stops (STOP-3). */
  readonly onGivenBack: (agent: AgentId, delivery: Delivery, why: Error) => void;
  /** Told whenever a mailbox came to rest. */
  readonly activations: { becameIdle(mailbox: Committing): void };
  readonly limits: TurnHost["limits"] & {
    /** Turns of one agent that may run before the first of them is committed. */
    readonly runAheadMax: number;
    /** Inputs in the queue of one agent before the next ones are left on the log. */
    readonly keyWindowMax: number;
  };
}
