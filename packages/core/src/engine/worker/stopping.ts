/**
 * Stopping a worker within its time, with everything accounted for.
 *
 *  STOP-1 Nothing new is handled; turns that run may finish, also those that wait for agents which
 *     another worker hosts, or whose handler runs here. Turns that are left when the time is over
 *     are given back.
 *  STOP-2 A turn that waits only for asks that nobody can answer any more is given back soon: it
 *     would wait until it fails, and its message would become a dead letter because somebody
 *     stopped a worker.
 *  STOP-3 Given back means: nothing of the run is kept but its recorded steps, it does not count,
 *     and the next owner of the partition runs the message again, since the floor stays below it.
 *     Its asks are not called back: the next run waits for the same ones. A turn with an effect
 *     under way is not given back before its time is over, so that the effect's outcome is
 *     recorded.
 */
import type { Clock } from "../../clock/clock.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Activations } from "../mailbox/activations.ts";
import type { WaitingAsks } from "./waiting-asks.ts";

export interface StoppingHost {
  readonly clock: Clock;
  readonly activations: Activations;
  readonly asks: WaitingAsks;
  /** Whether another worker goes on hosting the type. */
  readonly isHostedElsewhere: (type: string) => boolean;
}

export class Stopping {
  readonly #host: StoppingHost;
  #cancel: (() => void) | undefined;

  constructor(host: StoppingHost) {
    this.#host = host;
  }

  /** Look from now on for turns that wait in vain. */
  begin(): void {
    this.#cancel = this.#host.clock.after(lookMs, () => {
      this.#giveBackStuck();
      this.begin();
    });
  }

  end(): void {
    this.#cancel?.();
  }

  #giveBackStuck(): void {
    const { asks, activations } = this.#host;
    for (const [caller, count] of asks.stuck((callee) => this.#canAnswer(callee))) {
      activations.find(caller)?.giveBack(count);
    }
  }

  #canAnswer(callee: AgentId): boolean {
    const { isHostedElsewhere, activations } = this.#host;
    return isHostedElsewhere(callee.type) || activations.find(agentName(callee))?.running === true;
  }
}

/** Between two looks. */
const lookMs = 100;
