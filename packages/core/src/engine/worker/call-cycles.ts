/**
 * Turns that wait for each other: alice asks bob while bob asks alice, or a longer ring, over any
 * number of workers. The chain of callers that travels with an ask does not show it, because these
 * are different conversations; each waits for the end of the other one's turn, until a deadline.
 *
 *  CYCLE-1 While turns of a worker wait, it tells all workers a few times a second for whom. A ring
 *     of agents, each of which waits for the next one, is a cycle.
 *  CYCLE-2 A wait that others told may be over by now. A cycle counts when each of its asks was
 *     told several times, the last time just now: asks that are answered do not stay.
 *  CYCLE-3 One is given up, everywhere the same: the ask of the agent whose name comes first. Its
 *     turn gets the error, and with that its agent is free for whoever waits for it. The others go
 *     on.
 *  CYCLE-4 A message may be lost: then it is told again. In the end there is the deadline.
 */
import type { Clock } from "../../clock/clock.ts";
import { CallCycleError } from "../../errors/ask-errors.ts";
import type { AskWait, WaitReport } from "../../log/ask-wait.ts";
import type { Log } from "../../log/log.ts";
import type { WaitingAsks } from "./waiting-asks.ts";

const lookMs = 200;
/** Times that an ask must have been told (CYCLE-2). */
const sightingsMin = 3;
const freshMs = 2 * lookMs + 100;
/** Number of waits that a worker tells, the longest ones (I7). */
const toldMax = 1000;
const rememberedMax = 20_000;

interface Sighting {
  readonly wait: AskWait;
  times: number;
  lastMs: number;
}

export interface CallCyclesHost {
  readonly log: Log;
  readonly clock: Clock;
  readonly worker: string;
  readonly asks: WaitingAsks;
}

export class CallCycles {
  readonly #host: CallCyclesHost;
  /** Sightings by ask, of all workers. */
  readonly #seen = new Map<string, Sighting>();
  /** Agents that were asked by a turn: only these can be in a cycle. */
  readonly #askedByTurns = new Set<string>();
  readonly #unlisten: () => void;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(host: CallCyclesHost) {
    this.#host = host;
    host.asks.onBegin = () => this.#lookSoon();
    this.#unlisten = host.log.onWaits((report) => this.#heard(report));
  }

  /** A turn's ask for this agent came. */
  asked(agent: string): void {
    const asked = this.#askedByTurns;
    if (asked.size >= rememberedMax) for (const oldest of asked) return void asked.delete(oldest);
    asked.add(agent);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#unlisten();
  }

  #heard({ waits }: WaitReport): void {
    const nowMs = this.#host.clock.monotonicMs();
    for (const wait of waits) {
      const sighting = this.#seen.get(wait.ask) ?? { wait, times: 0, lastMs: nowMs };
      sighting.times += 1;
      sighting.lastMs = nowMs;
      if (this.#seen.size < rememberedMax) this.#seen.set(wait.ask, sighting);
    }
  }

  #lookSoon(): void {
    if (this.#stopped || this.#cancel !== undefined) return;
    this.#cancel = this.#host.clock.after(lookMs, () => {
      this.#cancel = undefined;
      this.#look();
    });
  }

  #look(): void {
    const { asks, clock, log, worker } = this.#host;
    const { waits } = asks;
    const told = waits.filter(({ caller }) => this.#askedByTurns.has(caller)).slice(0, toldMax);
    const oldestMs = clock.monotonicMs() - freshMs;
    for (const [ask, { lastMs }] of this.#seen) if (lastMs < oldestMs) this.#seen.delete(ask);
    for (const own of told) this.#refuseIfFirst(own);
    if (told.length > 0) log.announceWaits({ worker, waits: told });
    if (waits.length > 0) this.#lookSoon();
  }

  /** CYCLE-3 */
  #refuseIfFirst(own: AskWait): void {
    if (!this.#isSure(this.#seen.get(own.ask))) return;
    const ring = this.#ringFrom(own);
    if (ring === undefined || ring.some(({ caller }) => caller < own.caller)) return;
    const names = [...ring.map(({ caller }) => caller), own.caller];
    const error = new CallCycleError(
      `${names.join(" waits for ")}: none of their turns could ever end. This one was given up, so that the others go on. Let them ask in one order, or use send.`,
      { details: { callers: ring.map(({ caller }) => caller), agent: own.callee } },
    );
    this.#seen.delete(own.ask);
    this.#host.asks.refuse(own.ask, error);
  }

  #isSure(sighting: Sighting | undefined): boolean {
    return sighting !== undefined && sighting.times >= sightingsMin;
  }

  /** The asks from this one on that lead back to its caller. */
  #ringFrom(own: AskWait): readonly AskWait[] | undefined {
    const sure = [...this.#seen.values()].filter((each) => this.#isSure(each));
    const byCaller = Map.groupBy(sure, ({ wait }) => wait.caller);
    const visited = new Set<string>();
    const paths: (readonly AskWait[])[] = [[own]];
    for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
      const last = path.at(-1);
      if (last === undefined || last.callee === own.caller) return path;
      if (visited.has(last.callee)) continue;
      visited.add(last.callee);
      for (const { wait } of byCaller.get(last.callee) ?? []) paths.push([...path, wait]);
    }
    return undefined;
  }
}
