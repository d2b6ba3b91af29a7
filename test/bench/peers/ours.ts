/**
 * Our side of a contest with a peer: the same deposits, through the public API. A log of its own
 * per round; every reply is counted and its balance added up, so that a turn that was lost, handled
 * twice or out of order spoils the round.
 */
import { createTroupe } from "@troupe/core";
import { decodePayload } from "@troupe/core/log";

import { account, preload } from "../ledger.ts";
import type { Stage } from "../stage.ts";
import { checkReplySum } from "./peer.ts";

/**
 * Moment at which the clock starts.
 *
 * - `drain`: the deposits are stored, then the handling starts.
 * - `arrival`: the handling runs, then the deposits are sent; storing them counts.
 */
export type Clock = "drain" | "arrival";

/** Turns per second, to the last reply. */
export async function ourTurns(stage: Stage, deposits: number, clock: Clock): Promise<number> {
  const { log, namespace } = await stage.freshLog();
  const replies = sumReplies(stage, deposits);
  const troupe = createTroupe(log);
  const work = (): Promise<unknown> => troupe.work(account, { timings: { joinDelayMs: 0 } });
  const send = (): Promise<void> => preload(log, { count: deposits, replyTo: replies.address });
  await (clock === "drain" ? send() : work());
  const startedAt = performance.now();
  await (clock === "drain" ? work() : send());
  const sum = await replies.sum;
  const seconds = (performance.now() - startedAt) / 1000;
  await troupe.close();
  await stage.drop(namespace);
  checkReplySum(sum, deposits);
  return deposits / seconds;
}

interface Replies {
  readonly address: string;
  /** Of the balances in all replies, once they have come. */
  readonly sum: Promise<number>;
}

function sumReplies({ raw }: Stage, count: number): Replies {
  const address = `_INBOX.bench.${process.hrtime.bigint().toString(36)}`;
  const { promise, resolve } = Promise.withResolvers<number>();
  let seen = 0;
  let sum = 0;
  const subscription = raw.subscribe(address, {
    callback: (_error, { data }) => {
      seen += 1;
      // A reply that is not a balance makes the sum NaN, which no check takes for right.
      sum += Number(decodePayload(data, "application/msgpack"));
      if (seen < count) return;
      subscription.unsubscribe();
      resolve(sum);
    },
  });
  return { address, sum: promise };
}
