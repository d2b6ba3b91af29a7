/**
 * Asks that the running turns of a worker are waiting on.
 *
 * A worker that stops handles nothing new, so an ask for an agent that nobody else hosts is never
 * answered, and its turn would wait until it fails. Such a turn is given back instead (STOP-1,
 * STOP-2 in stopping.ts). Turns that wait for each other are never answered either
 * (call-cycles.ts).
 */
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { AskWait } from "../../log/ask-wait.ts";
import type { TurnHost } from "../turn/turn-host.ts";

type Ask = TurnHost["ask"];

export class WaitingAsks {
  readonly #asks = new Set<WaitingAsk>();
  readonly #name: string;
  #count = 0;
  /** Told when a turn begins to wait. */
  onBegin: () => void = () => undefined;

  /** @param name unique per worker */
  constructor(name: string) {
    this.#name = name;
  }

  /** The same way to ask, with what waits for it known here. */
  watched(ask: Ask): Ask {
    return (agent, key, message, payload, options, origin) =>
      this.during(origin.callers.at(-1) ?? "", { type: agent.type, key }, (given) => {
        const signal =
          options.signal === undefined ? given : AbortSignal.any([options.signal, given]);
        return ask(agent, key, message, payload, { ...options, signal }, origin);
      });
  }

  /** @param caller name of the agent whose turn asks; `ask` gets the signal that gives it up */
  async during<Reply>(
    caller: string,
    callee: AgentId,
    ask: (signal: AbortSignal) => Promise<Reply>,
  ): Promise<Reply> {
    const abort = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    const refuse = (error: Error): void => {
      reject(error);
      abort.abort(error);
    };
    // A refusal may come when nobody waits any more.
    promise.catch(() => undefined);
    const waiting: WaitingAsk = { caller, callee, id: ++this.#count, missed: 0, refuse };
    this.#asks.add(waiting);
    this.onBegin();
    try {
      return await Promise.race([ask(abort.signal), promise]);
    } finally {
      this.#asks.delete(waiting);
    }
  }

  /** The asks that wait, the longest first. */
  get waits(): readonly AskWait[] {
    return [...this.#asks].map(({ caller, callee, id }) => ({
      caller,
      callee: agentName(callee),
      ask: `${this.#name}:${id}`,
    }));
  }

  /** Give an ask up; its turn gets the error. */
  refuse(ask: string, error: Error): void {
    for (const each of this.#asks) if (`${this.#name}:${each.id}` === ask) each.refuse(error);
  }

  /**
   * Callers of asks that nobody can answer, by name, with the number of these asks. An ask counts
   * from the second look on: its reply may just be on its way.
   */
  stuck(canAnswer: (callee: AgentId) => boolean): ReadonlyMap<string, number> {
    const stuck = new Map<string, number>();
    for (const ask of this.#asks) {
      ask.missed = canAnswer(ask.callee) ? 0 : ask.missed + 1;
      if (ask.missed >= 2) stuck.set(ask.caller, (stuck.get(ask.caller) ?? 0) + 1);
    }
    return stuck;
  }
}

interface WaitingAsk {
  readonly caller: string;
  readonly callee: AgentId;
  readonly id: number;
  /** Looks in a row at which nobody could answer it. */
  missed: number;
  readonly refuse: (error: Error) => void;
}
