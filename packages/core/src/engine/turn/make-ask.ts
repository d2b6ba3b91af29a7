/** An ask as a step: what it is known by, and the way in which it is made. */
import type { AgentId } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { AcceptOptions } from "../../log/log.ts";

export interface EarlierAsk {
  readonly agent: AgentId;
  readonly id: string;
}

/** The way in which an ask is made. */
export interface MakeAsk {
  readonly earlier: EarlierAsk;
  readonly make: (how: {
    /** Position of the ask when it is on the log already. */
    readonly acceptedAt: Position | undefined;
    readonly fence: AcceptOptions["fence"];
    readonly signal: AbortSignal;
    /** Told the position of the ask once it is accepted. */
    readonly onAccepted: (position: Position) => void;
  }) => Promise<unknown>;
}
