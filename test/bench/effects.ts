/**
 * The cost of an effect to its turn: a step, or an ask of another agent, on agents that are at work
 * already; against the least that could answer durably (bare-responder.ts). It also runs on code
 * from before effects had firm ground, for a comparison.
 */
import { agent, createTroupe } from "@troupe/core";
import { z } from "zod";

import { startBareResponder } from "./bare-responder.ts";
import type { Bench, Benchmark } from "./benchmark.ts";
import { latenciesMs, quantiles } from "./latency.ts";
import type { BenchRow, Discipline } from "./measure.ts";
import { match } from "./measure.ts";

export const effects: Benchmark = {
  name: "effects",
  what: "The latency of asks on 100 keys whose turns take one step, or ask another agent once; 16 on their way at once.",
  parts: [
    { rows: "step", run: (bench) => withEffect(bench, "step") },
    { rows: "turn-ask", run: (bench) => withEffect(bench, "turn-ask") },
  ],
};

const nothing = z.object({});
const callee = agent("callee").on("answer", nothing, () => 1);
const actor = agent("actor")
  .state({ count: 0 })
  .event("acted", nothing, ({ count }) => ({ count: count + 1 }))
  .on("step", nothing, async (ctx) => {
    await ctx.step("effect", async () => 1);
    ctx.emit.acted({});
  })
  .on("turn-ask", nothing, async (ctx) => {
    await ctx.ask(callee, ctx.agent.key).answer({});
    ctx.emit.acted({});
  });

async function withEffect(
  { progress, quick, stage }: Bench,
  effect: "step" | "turn-ask",
): Promise<readonly BenchRow[]> {
  const { log, namespace } = await stage.freshLog();
  await using worker = createTroupe(log);
  await worker.work([actor, callee], { timings: { joinDelayMs: 0 } });
  await using client = createTroupe(await stage.reopen(namespace));
  const bare = await startBareResponder(stage.raw);
  const inFlight = 16;
  const count = quick ? 1000 : 5000;
  let number = 0;
  const round = async (who: string, call: () => Promise<unknown>) => {
    const spread = quantiles(await latenciesMs({ count, inFlight, call }));
    progress(`${who} p50 ${spread.p50.toFixed(2)} ms, p99 ${spread.p99.toFixed(2)} ms`);
    return spread;
  };
  const discipline = (quantile: string): Discipline => ({
    name: `${effect}-${quantile}`,
    unit: "ms",
    better: "less",
  });
  return await match({
    versus: `bare publish, ack and reply; ${inFlight} in flight`,
    rounds: quick ? 2 : 5,
    disciplines: {
      p50: discipline("p50"),
      p95: discipline("p95"),
      p99: discipline("p99"),
    },
    ours: () => round("ours", () => client.agent(actor, `key-${number++ % 100}`)[effect]({})),
    theirs: () => round("bare", () => bare.ask()),
  });
}
