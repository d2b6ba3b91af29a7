/**
 * The work that a peer has to do to be compared: the same durable stateful turns as ours.
 * `deposits` messages of about 220 bytes go to 1000 keys in turn; each is handled once and in the
 * order of its key, adds 5 to the balance of its key, and its result is kept. An adapter runs in a
 * process of its own, so that no peer pays for the heap or the packages of another.
 */

/** The keys that the deposits are spread over, in turn. */
export const keys = 1000;

/** Amount that one deposit adds. */
export const amount = 5;

/** About as many bytes as Troupe's own messages have. */
export const text = "x".repeat(200);

export interface Peer {
  /** Versions of everything that takes part: "bullmq 6.7.0, redis-server 7.0.15". */
  readonly versions: string;
  /** Settings for throughput, and differences from ours. */
  readonly settings: string;
  /** Durability under which failure: the policy of fsync. */
  readonly durability: string;
  /**
   * Handle this many deposits, on balances that nobody has used yet.
   *
   * @returns seconds from the start of the work, as the contest defines it, to its last result
   * @throws Error when the kept balances are not what the deposits make
   */
  round(deposits: number): Promise<number>;
  /** Take tokens through chains of agents; absent where there are no agents that send. */
  chain?(order: ChainOrder): Promise<ChainRound>;
  /** Ends every process and removes every folder of this peer. */
  close(): Promise<void>;
}

/** Tokens, each through the five agents of a chain of its own, so many of them at once. */
export interface ChainOrder {
  readonly passes: number;
  readonly inFlight: number;
}

export interface ChainRound {
  readonly seconds: number;
  /** From sending each token until the fifth agent has it. */
  readonly tookMs: readonly number[];
}

/** Agents of a chain. */
export const chainLength = 5;

/** Surroundings that every peer is given. */
export interface Surroundings {
  /** The broker that the other contestant uses too. */
  readonly natsUrl: string;
}

/** @throws CannotRunError where this machine lacks something the peer needs */
export type OpenPeer = (surroundings: Surroundings) => Promise<Peer>;

/** The key of a deposit; the first is number 0. */
export function keyOf(deposit: number): string {
  return `key-${deposit % keys}`;
}

/** The deposits that key number `key` gets of all. */
export function depositsOn(key: number, deposits: number): number {
  return Math.floor((deposits - key + keys - 1) / keys);
}

/** @throws Error unless every key has the balance that its deposits make */
export function checkBalances(balances: ReadonlyMap<string, number>, deposits: number): void {
  for (let key = 0; key < keys; key++) {
    const expected = depositsOn(key, deposits) * amount;
    const kept = balances.get(keyOf(key)) ?? 0;
    if (kept === expected) continue;
    throw new Error(`The balance of ${keyOf(key)} is ${kept}, but its deposits make ${expected}.`);
  }
}

/** @throws Error unless the replies are exactly the balances after each deposit */
export function checkReplySum(sum: number, deposits: number): void {
  let expected = 0;
  for (let key = 0; key < keys; key++) {
    const own = depositsOn(key, deposits);
    expected += (amount * own * (own + 1)) / 2;
  }
  if (sum === expected) return;
  throw new Error(`The balances in the replies add up to ${sum}, but in order to ${expected}.`);
}

/** Orders for the process of a peer. */
export type PeerOrder = { readonly round: number } | { readonly chain: ChainOrder } | "close";

/** Answers of that process. */
export type PeerAnswer =
  | { readonly ready: Pick<Peer, "versions" | "settings" | "durability"> }
  | { readonly cannotRun: string }
  | { readonly seconds: number }
  | { readonly chained: ChainRound }
  | { readonly failed: string };
