/**
 * Publications of an agent's source. They are for every subscribed agent of that key, so they may
 * only go when nobody else needs them.
 */
import { keyToToken } from "../../definition/message/key-token.ts";
import { partitionOfToken } from "../../definition/message/partition.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Log } from "../../log/log.ts";

/** Other agents of this key that need what was published on the topic up to a position. */
export async function neededBy(
  log: Log,
  { key, type }: AgentId,
  topic: string,
  upTo: Position,
): Promise<readonly string[]> {
  const others = (await log.manifests({ firm: true })).filter(
    (manifest) => manifest.type !== type && manifest.topics.includes(topic),
  );
  if (others.length === 0) return [];
  const partition = partitionOfToken(keyToToken(key), log.partitions);
  const floors = await log.floors();
  const waiting = others.map(async (other) => {
    const floor = floors.find((each) => each.type === other.type && each.partition === partition);
    const agent = { type: other.type, key };
    const isBehind = (floor?.position ?? 0) < upTo;
    // A dead letter, also that of a parked agent, names the message that is to be handled again.
    const held = isBehind || (await log.holdings({ kind: "dead-letters", agent }, upTo)).count > 0;
    return held ? [agentName(agent)] : [];
  });
  return (await Promise.all(waiting)).flat();
}
