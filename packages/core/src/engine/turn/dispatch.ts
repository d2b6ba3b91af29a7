/**
 * Turns whose messages are stored after their record, because an atomic batch costs more than both
 * (DESIGN.md has the proofs).
 *
 *  R1 The record contains all that the turn sends. It is stored alone, under its fence; then the messages are, each
 *     only while the journal ends at that record (L12). The commit is over when all of them are stored.
 *  R2 Nothing is written behind such a record by anybody who does not know that its messages are stored, but an entry
 *     that says nothing. So a later turn proves that they are.
 *  R3 An owner that does not know it writes that entry first: then no earlier attempt can store
 *     anything any more, however late it comes. A message that is not on the log then is missing;
 *     it is stored together with an entry that says that now all of them are there.
 *  R4 The input keeps its place until the messages are stored. So the floor stays below it, and a successor meets it.
 *  R5 Two messages of one turn go this way only into different partitions: nobody can see in which order they are stored.
 *  R6 All messages lie in the sender's shard: a fence holds in one only.
 */
import { keyToToken } from "../../definition/message/key-token.ts";
import { partitionOfToken } from "../../definition/message/partition.ts";
import type { InputDraft } from "../../definition/message/input.ts";
import type { LogLimits } from "../../log/log.ts";
import { shardOfKey } from "../../log/shard.ts";
import type { Turn } from "./turn.ts";

/** Bytes of a turn's messages up to which its record contains them. */
const dispatchedBytesMax = 65_536;

type SendingTurn = Pick<
  Turn,
  "agent" | "delivery" | "ends" | "host" | "outgoing" | "seat" | "timers"
>;

/**
 * Says whether the messages of a turn may be stored after its record: they are little, and there is
 * nothing else.
 */
export function mayDispatch(turn: SendingTurn): boolean {
  const { delivery, ends, host, outgoing, seat, timers } = turn;
  if (outgoing.length === 0 || timers.length > 0 || ends !== undefined) return false;
  // A message that was read back for a parked agent has no place that keeps the floor below (R4).
  if (seat !== undefined || delivery.waits === true) return false;
  return areLittle(outgoing, host.log.limits) && areApart(turn);
}

function areLittle(outgoing: readonly InputDraft[], limits: LogLimits): boolean {
  if (outgoing.length > limits.dispatchMax) return false;
  let bytes = 0;
  for (const { payload } of outgoing) bytes += payload.byteLength;
  return bytes <= Math.min(dispatchedBytesMax, limits.payloadBytesMax / 2);
}

/** Whether all messages are in the sender's shard (R6), and in different partitions (R5). */
function areApart({ agent, host, outgoing }: SendingTurn): boolean {
  const { partitions, shards } = host.log;
  if (outgoing.length === 1 && shards === 1) return true;
  const own = shardOfKey(host.log, agent.key);
  const apart = new Set<number>();
  for (const { address } of outgoing) {
    const partition = partitionOfToken(keyToToken(address.key), partitions);
    if (partition % shards !== own) return false;
    apart.add(partition);
  }
  return apart.size === outgoing.length;
}
