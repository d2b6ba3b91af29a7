/** The calls of a worker's batch handlers that are gathering messages. */
import type { MessageDefinition } from "../../definition/agent-definition.ts";
import { agentName } from "../../definition/message/address.ts";
import type { OpenTurn } from "./open-turn.ts";
import { BatchCall } from "./batch-call.ts";
import type { BatchHandler } from "../../definition/batch-context.ts";
import type { BatchHost } from "./batch-host.ts";
import type { ItemContext } from "./batch-item.ts";
import type { BatchSettings } from "../../definition/batch-settings.ts";
import { batchSettingsDefault } from "../../definition/batch-settings.ts";

export class BatchGatherer {
  readonly #host: BatchHost;
  readonly #open = new Map<string, BatchCall>();

  constructor(host: BatchHost) {
    this.#host = host;
  }

  /**
   * Take a slot in the call that gathers for this message. Resolves with the message's reply,
   * rejects with its failure. Throws when it has to wait for the next call (`missedBatch`).
   */
  join(
    turn: OpenTurn,
    item: ItemContext,
    { batch: settings = batchSettingsDefault, handler: untyped }: MessageDefinition,
  ): Promise<unknown> {
    const handler = untyped as BatchHandler;
    const call = turn.delivery.alone
      ? this.#call(turn, handler, { ...settings, size: 1 }, () => undefined)
      : this.#gathering(turn, handler, settings);
    // BATCH-2: the message before it would be handled at the same time, in another call.
    if (turn.follows !== undefined && turn.follows.slot?.call !== call) {
      turn.missedBatch = true;
      throw new Error("The batch of the message before this one took no more.");
    }
    return call.join(turn, item);
  }

  #gathering(turn: OpenTurn, handler: BatchHandler, settings: BatchSettings): BatchCall {
    const who = settings.by === "key" ? agentName(turn.agent) : turn.agent.type;
    const name = `${who} ${turn.topic === undefined ? "message" : "topic"} ${turn.message}`;
    const found = this.#open.get(name);
    if (found !== undefined) return found;
    const made = this.#call(turn, handler, settings, () => void this.#open.delete(name));
    this.#open.set(name, made);
    return made;
  }

  #call(
    { agent, message }: OpenTurn,
    handler: BatchHandler,
    settings: BatchSettings,
    onClosed: () => void,
  ): BatchCall {
    const host = this.#host;
    return new BatchCall({ host, settings, type: agent.type, name: message, handler, onClosed });
  }
}
