/** The loops that are worth a profile: what the rows of the benchmarks spend their time in. */
import { createTroupe } from "@troupe/core";

import { ourChain } from "../chain.ts";
import { fillJournals } from "../fill-journals.ts";
import { latenciesMs } from "../latency.ts";
import { account, deposit, preload, windowed } from "../ledger.ts";
import { countReplies } from "../replies.ts";
import type { Stage } from "../stage.ts";

export interface HotLoop {
  readonly name: string;
  readonly what: string;
  /** Name of one of the things that are counted. */
  readonly unit: string;
  /** Prepares everything that comes before; the function that it returns is profiled. */
  prepare(stage: Stage, count: number): Promise<() => Promise<void>>;
}

const atOnce = { timings: { joinDelayMs: 0 } } as const;

const turns: HotLoop = {
  name: "turns",
  what: "turns of a backlog of 1000 keys, with replies",
  unit: "turn",
  async prepare(stage, count) {
    const { log } = await stage.freshLog();
    const replies = countReplies(stage.raw, count);
    await preload(log, { count, replyTo: replies.address });
    return async () => {
      await createTroupe(log).work(account, atOnce);
      await replies.all;
    };
  },
};

const arrival: HotLoop = {
  name: "arrival",
  what: "turns of 1000 keys while their messages are sent, all in one process",
  unit: "turn",
  async prepare(stage, count) {
    const { log } = await stage.freshLog();
    await createTroupe(log).work(account, atOnce);
    const replies = countReplies(stage.raw, count);
    return async () => {
      await preload(log, { count, replyTo: replies.address });
      await replies.all;
    };
  },
};

const ask: HotLoop = {
  name: "ask",
  what: "asks of 100 keys, 256 in flight, asker and worker in one process",
  unit: "ask",
  async prepare(stage, count) {
    const { log, namespace } = await stage.freshLog();
    await createTroupe(log).work(account, atOnce);
    const client = createTroupe(await stage.reopen(namespace));
    let number = 0;
    const call = (): Promise<unknown> =>
      client.agent(account, `key-${number++ % 100}`).deposit(deposit);
    return async () => {
      await latenciesMs({ count, inFlight: 256, call });
    };
  },
};

const replay: HotLoop = {
  name: "replay",
  what: "replay of a journal with one event in each record",
  unit: "event",
  async prepare(stage, count) {
    const { log } = await stage.freshLog();
    await fillJournals(log, { keys: 1, turns: count, eventsPerTurn: 1 });
    const troupe = createTroupe(log);
    return async () => {
      let replayed = 0;
      for await (const { events } of troupe.replay(account, "key-0")) replayed += events.length;
      if (replayed !== count) throw new Error(`${replayed} of ${count} events came.`);
    };
  },
};

const chain: HotLoop = {
  name: "chain",
  what: "turns of agents that send to each other in chains of five, 256 of them at once",
  unit: "turn",
  async prepare(stage, count) {
    const passing = await ourChain({ stage });
    return () => windowed(Math.ceil(count / 5), 256, (number) => passing.pass(number));
  },
};

export const hotLoops: readonly HotLoop[] = [turns, arrival, ask, replay, chain];
