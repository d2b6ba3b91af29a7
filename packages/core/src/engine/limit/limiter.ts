/**
 * All limits of one worker, and the line of each.
 *
 * A step that needs several limits waits in the lines of all of them, entered at once, and takes
 * all at once when it is first in each and each has something for it. So no step holds one limit
 * while it waits for another, and the one that came first is first in all of its lines: none waits
 * in a circle.
 */
import { hexOf } from "../../clock/random.ts";
import { LimitMismatchError } from "../../errors/limit-errors.ts";
import type { Limit, WeightedLimit } from "../../definition/limit.ts";
import { SharedLimit } from "./shared-limit.ts";
import type { LimitHost, LimitWaiter } from "./shared-limit.ts";

export interface LimiterOptions {
  /** The worker's id. */
  readonly worker: string;
  /** Time a worker that is not heard of keeps its permits, in milliseconds. */
  readonly leaseMs: number;
}

export interface WaitOptions {
  readonly signal: AbortSignal;
  /** True when the step is not wanted any more. */
  readonly isOver: () => boolean;
}

/** Permits that a step took; give them back when the effect is done. */
export interface LimitPermit {
  release(): void;
}

type Claims = ReadonlyMap<SharedLimit, number>;

export class Limiter {
  readonly #host: LimitHost;
  readonly #options: LimiterOptions;
  readonly #limits = new Map<string, SharedLimit>();

  constructor(host: LimitHost, options: LimiterOptions) {
    this.#host = host;
    this.#options = options;
  }

  /** Take all of them now, or nothing. @throws LimitMismatchError */
  tryTake(uses: readonly WeightedLimit[]): LimitPermit | undefined {
    const claims = this.#claimsOf(uses);
    for (const [limit, cost] of claims) {
      if (limit.queue.length > 0 || !limit.canTake(cost)) return undefined;
    }
    return this.#taken(claims);
  }

  /** Wait until all of them can be taken at once. Rejects with the signal's reason. */
  wait(uses: readonly WeightedLimit[], { isOver, signal }: WaitOptions): Promise<LimitPermit> {
    const claims = this.#claimsOf(uses);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#leave(place);
        reject(signal.reason as Error);
      };
      const stay = (): void => signal.removeEventListener("abort", leave);
      const place: WaitingPlace = new WaitingPlace(claims, isOver, {
        grant: () => {
          stay();
          resolve(this.#taken(claims));
        },
        refuse: () => {
          stay();
          reject(new Error("Nobody waits for the limit any more."));
        },
      });
      if (signal.aborted) return reject(signal.reason as Error);
      signal.addEventListener("abort", leave, { once: true });
      for (const limit of claims.keys()) limit.queue.push(place);
      for (const limit of claims.keys()) limit.changed();
    });
  }

  /** Give back what is not in use. */
  async stop(): Promise<void> {
    await Promise.all([...this.#limits.values()].map((limit) => limit.stop()));
  }

  #claimsOf(uses: readonly WeightedLimit[]): Claims {
    return new Map(uses.map(({ cost, limit }) => [this.#shared(limit), cost]));
  }

  #shared(limit: Limit): SharedLimit {
    const found = this.#limits.get(limit.name);
    if (found !== undefined && isSame(found.limit, limit)) return found;
    if (found?.isIdle === false) throw mismatch(found.limit, limit);
    found?.close();
    if (this.#limits.size >= idleLimitsMax) this.#forgetIdle();
    const { leaseMs, worker } = this.#options;
    const shared: SharedLimit = new SharedLimit(limit, this.#host, {
      lessee: `${worker}:${hexOf(this.#host.random, 4)}`,
      leaseMs,
      onFree: () => this.#serve(shared),
    });
    this.#limits.set(limit.name, shared);
    return shared;
  }

  /** Names may be made up at run time, so those that nobody needs do not stay for ever (I7). */
  #forgetIdle(): void {
    for (const [name, limit] of this.#limits) {
      if (!limit.isIdle) continue;
      limit.close();
      this.#limits.delete(name);
    }
  }

  #taken(claims: Claims): LimitPermit {
    for (const [limit, cost] of claims) limit.take(cost);
    let isHeld = true;
    return {
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        for (const limit of claims.keys()) limit.give();
        for (const limit of claims.keys()) {
          this.#serve(limit);
          if (limit.queue.length > 0) limit.changed();
        }
      },
    };
  }

  /** Serves the first in this line, and then those that come first in another line by that. */
  #serve(first: SharedLimit): void {
    const limits = [first];
    for (let limit = limits.pop(); limit !== undefined; limit = limits.pop()) {
      const place = limit.queue[0];
      if (!(place instanceof WaitingPlace) || !place.isReady) continue;
      for (const each of place.claims.keys()) {
        each.queue.shift();
        limits.push(each);
      }
      if (place.isOver()) place.refuse();
      else place.grant();
    }
  }

  #leave(place: WaitingPlace): void {
    for (const { queue } of place.claims.keys()) {
      const index = queue.indexOf(place);
      if (index >= 0) queue.splice(index, 1);
    }
    for (const limit of place.claims.keys()) {
      limit.changed();
      this.#serve(limit);
    }
  }
}

class WaitingPlace implements LimitWaiter {
  readonly claims: Claims;
  readonly isOver: () => boolean;
  readonly grant: () => void;
  readonly refuse: () => void;

  constructor(
    claims: Claims,
    isOver: () => boolean,
    end: { readonly grant: () => void; readonly refuse: () => void },
  ) {
    this.claims = claims;
    this.isOver = isOver;
    this.grant = end.grant;
    this.refuse = end.refuse;
  }

  /** True when it is first in every line and each has its permits, or it needs none any more. */
  get isReady(): boolean {
    for (const [limit, cost] of this.claims) {
      if (limit.queue[0] !== this) return false;
      if (!limit.canTake(cost) && !this.isOver()) return false;
    }
    return true;
  }

  costOf(limit: SharedLimit): number {
    return this.claims.get(limit) ?? 0;
  }

  isHeldUpBeside(limit: SharedLimit): boolean {
    return [...this.claims.keys()].some((other) => other !== limit && other.isShort);
  }
}

const idleLimitsMax = 256;

function isSame(first: Limit, second: Limit): boolean {
  if (first === second) return true;
  return (
    first.concurrency === second.concurrency &&
    first.rate?.count === second.rate?.count &&
    first.rate?.perMs === second.rate?.perMs
  );
}

function mismatch(first: Limit, second: Limit): LimitMismatchError {
  const numbers = ({ concurrency, rate }: Limit): string => JSON.stringify({ concurrency, rate });
  return new LimitMismatchError(
    `The limit ${first.name} is in use with ${numbers(first)}, and a step names it with ${numbers(second)}: declare it once and import it.`,
    { details: { limit: first.name } },
  );
}
