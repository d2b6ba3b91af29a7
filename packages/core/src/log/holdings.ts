/**
 * Holdings of a log for one agent or one source, by kind: for counting them, and for destroying
 * them.
 *
 *  DESTROY-1 `destroy` removes only what is in the named part and not behind the named position,
 *     and overwrites its bytes where the log keeps them. Everything else keeps its place, also in
 *     the order.
 *  DESTROY-2 It goes from the last to the first, so an end in the middle leaves a beginning. Doing
 *     it again goes on.
 *  DESTROY-3 A destroyed entry is not read any more: no reader, page or look at a position gives
 *            it.
 */
import type { AgentId } from "../definition/message/address.ts";

/** A part of what the log holds. */
export type LogPart =
  | {
      /**
       * `inputs`: messages to the agent itself, in the ingress too. `timers`: those that wait and
       * the notes of cancelled ones.
       */
      readonly kind: "journal" | "inputs" | "dead-letters" | "timers" | "snapshot";
      readonly agent: AgentId;
    }
  | {
      /** Publications of one source on a topic, in the ingress too. */
      readonly kind: "publications";
      readonly topic: string;
      readonly source: string;
    };

/** Number and size of what is held. */
export interface Holdings {
  readonly count: number;
  /** Bytes of payloads and headers. */
  readonly bytes: number;
}
