/**
 * Publishing for tallies with a bare client: plain JSON, no headers, many keys woven into each
 * other.
 */
import type { NatsConnection } from "@nats-io/transport-node";

import type { Add } from "./tally.ts";
import type { Published } from "./tally-check.ts";

export interface Amount {
  readonly messages: number;
  readonly keys: number;
}

/** Messages to publish: key after key in turn, each with numbers of its own from 1. */
export function adds({ keys, messages }: Amount): Published {
  const published = new Map<string, Add[]>();
  for (let i = 0; i < messages; i++) {
    const key = `key-${i % keys}`;
    const list = published.get(key) ?? [];
    list.push({ n: list.length + 1, value: (i * 7919) % 10_007 });
    published.set(key, list);
  }
  return published;
}

/** Numbers `from` to `to` of every key, woven; resolves when the broker has stored all. */
export async function publishAdds(
  client: NatsConnection,
  namespace: string,
  published: Published,
  { from = 1, to = Infinity }: { readonly from?: number; readonly to?: number } = {},
): Promise<void> {
  const longest = Math.max(...[...published.values()].map((list) => list.length));
  let waiting: Promise<unknown>[] = [];
  for (let n = from; n <= Math.min(to, longest); n++) {
    for (const [key, list] of published) {
      const add = list[n - 1];
      if (add === undefined) continue;
      const subject = `${namespace}.agent.tally.${key}`;
      waiting.push(client.request(subject, JSON.stringify({ add }), { timeout: 20_000 }));
      if (waiting.length >= inFlightMax) await Promise.all(waiting.splice(0));
    }
  }
  await Promise.all(waiting);
  waiting = [];
}

const inFlightMax = 250;
