/** A worker dies in the middle of removing what is beyond its retention, and nothing is wrong. */
import type { Troupe } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { Program } from "./program.ts";
import type { HoldAt } from "./retention/counter.ts";
import { counter } from "./retention/counter.ts";

vi.setConfig({ testTimeout: 90_000 });

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(async () => {
  await server?.stop();
});

const keys = Array.from({ length: 10 }, (_, index) => `key-${index}`);
const script = new URL("./retention/retention-program.ts", import.meta.url);

test.for<HoldAt>(["base is stored", "records are gone", "a slice is gone"])(
  "killed when %s",
  async (holdAt) => {
    const namespace = holdAt.replaceAll(" ", "-");
    const url = server.url;
    await using client = await connect(url, { namespace });
    const first = await Program.start(script, { url, namespace, holdAt });
    await countTo(client, 1, 60);
    await first.said("held");
    // What it held up goes on meanwhile.
    await countTo(client, 61, 62);
    await first.kill();

    const next = await Program.start(script, { url, namespace, holdAt: "never" });
    await countTo(client, 63, 120);
    await expect.poll(() => keptMax(client), { timeout: 60_000 }).toBeLessThan(60);
    await next.kill();

    // Without a snapshot: from what is left of the journals alone.
    await using troupe = await connect(url, { namespace });
    await troupe.work(counter, { snapshotTurns: Infinity, timings: { joinDelayMs: 0 } });
    await countTo(client, 121, 121);
    for (const key of keys) {
      const states = await Array.fromAsync(troupe.replay(counter, key));
      expect(states.length).toBeGreaterThan(9);
      expect(states.at(-1)?.state).toEqual({ count: 121 });
    }
  },
);

/** Every counter counts on by one at a time, and says so. */
async function countTo(client: Troupe, from: number, to: number): Promise<void> {
  for (let count = from; count <= to; count++) {
    const told = keys.map((key) => client.agent(counter, key, { timeoutMs: 60_000 }).count(1));
    expect(await Promise.all(told)).toEqual(keys.map(() => count));
  }
}

/** The most turns or messages that are kept of an agent. */
async function keptMax(client: Troupe): Promise<number> {
  let max = 0;
  for (const key of keys) {
    const turns = await Array.fromAsync(client.turns("counter", key));
    const inputs = await client.log.inputsOf({ type: "counter", key }, [], 0, 1e9);
    max = Math.max(max, turns.length, inputs.length);
  }
  return max;
}
