/**
 * Inputs of a type's agents that are read back from the log, as their code and the type's manifest
 * say: those that a subscription does not count for are left out (KNOW-4), and those that only
 * newer code knows are never passed over (I15).
 */
import { LogUnavailableError } from "../../errors/log-errors.ts";
import type { AgentId } from "../../definition/message/address.ts";
import type { Input, Position } from "../../definition/message/input.ts";
import type { Log } from "../../log/log.ts";
import type { AgentRuntime } from "./agent-runtime.ts";
import type { Knowledge } from "./knowledge.ts";

export interface AddressedInputsHost {
  readonly log: Log;
  readonly knowledge: Pick<Knowledge, "refresh" | "topicsOf" | "unknownHere" | "routingOf">;
  readonly runtime: AgentRuntime;
}

export class AddressedInputs {
  readonly #host: AddressedInputsHost;

  constructor(host: AddressedInputsHost) {
    this.#host = host;
  }

  /** False for a publication of before the subscription. */
  belongs(input: Input): boolean {
    const { knowledge, runtime } = this.#host;
    return knowledge.routingOf(runtime, input) !== "pass";
  }

  /**
   * The next inputs of an agent between these positions, empty at the end. It is decided by
   * manifests that were read after the inputs (KNOW-2, KNOW-3). @throws UnknownHereError when the
   * next one is for newer code, LogUnavailableError
   */
  async next(agent: AgentId, after: Position, before: Position): Promise<readonly Input[]> {
    const { knowledge, log, runtime } = this.#host;
    for (let from = after; ;) {
      const topics = knowledge.topicsOf(runtime);
      const page = await log.inputsOf(agent, topics, from, before, { firm: true });
      if (!(await knowledge.refresh())) {
        throw new LogUnavailableError(`The manifest of ${agent.type} could not be read.`);
      }
      const added = knowledge.topicsOf(runtime).filter((topic) => !topics.includes(topic));
      if (added.length > 0) continue;
      const known = this.#known(page);
      const last = page.at(-1);
      if (known.length > 0 || last === undefined) return known;
      from = last.position;
    }
  }

  /** Up to the first one that waits. */
  #known(page: readonly Input[]): readonly Input[] {
    const { knowledge, runtime } = this.#host;
    const known: Input[] = [];
    for (const input of page) {
      const routing = knowledge.routingOf(runtime, input);
      if (routing === "wait" && known.length > 0) break;
      if (routing === "wait") throw knowledge.unknownHere(runtime, input);
      if (routing !== "pass") known.push(input);
    }
    return known;
  }
}
