/**
 * Publishing: `troupe.publish` against the raw client's JetStream publish with the same window, on
 * a plain stream, with a message id as ours has one.
 */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { createTroupe, topic } from "@troupe/core";
import { z } from "zod";

import type { Bench, Benchmark } from "./benchmark.ts";
import { ratioAtLeast } from "./goal.ts";
import { deposit, depositBytes, windowed } from "./ledger.ts";
import type { BenchRow } from "./measure.ts";
import { contest } from "./measure.ts";

export const publish: Benchmark = {
  name: "publish",
  what: "Publications accepted per second: schema, encoding, trace context and the partition included.",
  parts: [
    { rows: "publish-256", run: (bench) => inFlight(bench, 256) },
    { rows: "publish-1", run: (bench) => inFlight(bench, 1) },
  ],
};

const deposits = topic("deposits", z.object({ amount: z.number(), text: z.string() }));

async function inFlight(
  { progress, quick, stage }: Bench,
  width: number,
): Promise<readonly BenchRow[]> {
  const count = (quick ? 2000 : 5000) * (width === 1 ? 1 : 10);
  const manager = await jetstreamManager(stage.raw);
  const client = jetstream(stage.raw);
  const perSecond = async (who: string, run: (number: number) => Promise<unknown>) => {
    const startedAt = performance.now();
    await windowed(count, width, async (number) => void (await run(number)));
    const rate = (count / (performance.now() - startedAt)) * 1000;
    progress(`${who} ${Math.round(rate)} msgs/s`);
    return rate;
  };
  return contest({
    name: `publish-${width}`,
    unit: "msgs/s",
    better: "more",
    goal: ratioAtLeast(0.8),
    versus: `raw JetStream publish with a message id, ${width} in flight`,
    rounds: quick ? 2 : 5,
    async ours() {
      const { log, namespace } = await stage.freshLog();
      const troupe = createTroupe(log);
      const rate = await perSecond("ours", (number) =>
        troupe.publish(deposits, `key-${number % 1000}`, deposit),
      );
      await troupe.close();
      await stage.drop(namespace);
      return rate;
    },
    async theirs() {
      await manager.streams.add({ name: "raw", subjects: ["raw.>"] });
      const rate = await perSecond("raw ", (number) =>
        client.publish(`raw.key-${number % 1000}`, depositBytes, { msgID: `m${number}` }),
      );
      await manager.streams.delete("raw");
      return rate;
    },
  });
}
