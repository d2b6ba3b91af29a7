/**
 * Fan-out, where one message becomes many: a publication with many subscribed types, and a turn
 * that sends many messages, which are stored with its record or not at all.
 */
import { agent, agentNamed, createTroupe, topic } from "@troupe/core";
import { partitionCountDefault } from "@troupe/core/log";
import type { AgentDefinition } from "@troupe/core/engine";
import { z } from "zod";

import type { Bench, Benchmark } from "./benchmark.ts";
import { ratioAtLeast } from "./goal.ts";
import { deposit, windowed } from "./ledger.ts";
import type { BenchRow } from "./measure.ts";
import { contest } from "./measure.ts";
import { publishRawBatches } from "./raw-batches.ts";
import type { Stage } from "./stage.ts";

export const fanOut: Benchmark = {
  name: "fan-out",
  what: "One publication for many agent types, and one turn that sends many messages.",
  parts: [
    { rows: "fan-out-topic", run: subscribers },
    {
      rows: "fan-out-sends",
      run: (bench) => sends(bench, { name: "fan-out-sends", readers: partitionCountDefault }),
    },
    {
      rows: "fan-out-unread",
      run: (bench) => sends(bench, { name: "fan-out-unread", readers: 0 }),
    },
  ],
};

const types = 8;
const sendsPerTurn = 100;
const deposits = topic("deposits", z.object({ amount: z.number(), text: z.string() }));

/** A publication is stored and read once, so many types cost less than as many publications. */
function subscribers({ progress, quick, stage }: Bench): Promise<readonly BenchRow[]> {
  const turns = quick ? 16_000 : 80_000;
  const run = async (subscribed: number): Promise<number> => {
    const rate = await subscribedTurns(stage, subscribed, turns);
    progress(`${subscribed} types: ${Math.round(rate)} turns/s`);
    return rate;
  };
  return contest({
    name: "fan-out-topic",
    unit: "turns/s",
    better: "more",
    versus: `1 subscribed type and ${types} times the publications; ours: ${types} types`,
    goal: ratioAtLeast(1),
    rounds: quick ? 2 : 3,
    ours: () => run(types),
    theirs: () => run(1),
  });
}

async function subscribedTurns(stage: Stage, subscribed: number, turns: number): Promise<number> {
  const { log, namespace } = await stage.freshLog();
  const troupe = createTroupe(log);
  const counted = untilCalled(turns);
  const listeners = Array.from({ length: subscribed }, (_, number) =>
    agent(`listener-${number}`)
      .state({ balance: 0 })
      .event("heard", z.object({ amount: z.number() }), ({ balance }, { amount }) => ({
        balance: balance + amount,
      }))
      .subscribe(deposits, (context, { amount }) => {
        context.emit.heard({ amount });
        counted.call();
      }),
  );
  await windowed(turns / subscribed, 256, async (number) => {
    await troupe.publish(deposits, `key-${number % 1000}`, deposit);
  });
  const startedAt = performance.now();
  await troupe.work(listeners, { timings: { joinDelayMs: 0 } });
  await counted.enough;
  const seconds = (performance.now() - startedAt) / 1000;
  await troupe.close();
  await stage.drop(namespace);
  return turns / seconds;
}

/**
 * Sends to agents that nobody hosts: this is the senders' commits, and what it costs that workers
 * read every message of their partitions, also what is for types that they do not host.
 */
function sends(
  { progress, quick, stage }: Bench,
  { name, readers }: { readonly name: string; readonly readers: number },
): Promise<readonly BenchRow[]> {
  const turns = quick ? 200 : 1000;
  const readBy = readers === 0 ? "that nobody reads" : `read by ${readers} consumers`;
  return contest({
    name,
    unit: "msgs/s",
    better: "more",
    versus: `raw atomic batches of up to 1000 messages, 2 in flight, ${readBy}; ours: ${sendsPerTurn} a turn`,
    goal: ratioAtLeast(0.8),
    rounds: quick ? 2 : 3,
    async ours() {
      const rate = await sentPerSecond(stage, turns);
      progress(`ours ${Math.round(rate)} msgs/s`);
      return rate;
    },
    async theirs() {
      const rate = await publishRawBatches(stage.raw, {
        messages: turns * (sendsPerTurn + 1),
        batchMax: 1000,
        inFlight: 2,
        readers,
      });
      progress(`raw  ${Math.round(rate)} msgs/s`);
      return rate;
    },
  });
}

async function sentPerSecond(stage: Stage, turns: number): Promise<number> {
  const { log, namespace } = await stage.freshLog();
  const troupe = createTroupe(log);
  const spreader = spreading();
  await log.register({
    type: spreader.type,
    messages: ["spread"],
    topics: [],
    events: [],
    version: "bench",
  });
  await windowed(turns, 64, async (number) => {
    await troupe.send(spreader, `key-${number % 100}`).spread({});
  });
  let committed = 0;
  const done = Promise.withResolvers<void>();
  troupe.inspect((event) => {
    if (event.kind !== "turn.committed") return;
    committed += 1;
    if (committed === turns) done.resolve();
  });
  const startedAt = performance.now();
  await troupe.work(spreader, { timings: { joinDelayMs: 0 } });
  await done.promise;
  const seconds = (performance.now() - startedAt) / 1000;
  await troupe.close();
  await stage.drop(namespace);
  return (turns * (sendsPerTurn + 1)) / seconds;
}

function spreading() {
  const receiver = agentNamed("receiver");
  return agent("spreader")
    .state({})
    .on("spread", z.object({}), (context) => {
      for (let number = 0; number < sendsPerTurn; number++) {
        context.send(receiver, `key-${number}`)["deposit"]?.(deposit);
      }
    }) satisfies AgentDefinition;
}

function untilCalled(times: number): { readonly enough: Promise<void>; call(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let calls = 0;
  return {
    enough: promise,
    call() {
      calls += 1;
      if (calls === times) resolve();
    },
  };
}
