/**
 * The latency of one ask at a time, against the least that could do the same: a publish whose
 * acknowledgement is awaited, a consumer that answers at once without storing anything, and the
 * answer.
 */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { createTroupe } from "@troupe/core";
import { account, deposit, depositBytes } from "./ledger.ts";
import type { BenchRow } from "./measure.ts";
import { contest, percentile } from "./measure.ts";
import type { Stage } from "./stage.ts";

export interface AskSize {
  readonly asks: number;
  readonly rounds: number;
}

export async function benchAsk(
  stage: Stage,
  { asks, rounds }: AskSize,
): Promise<readonly BenchRow[]> {
  const { log } = await stage.freshLog();
  await using troupe = createTroupe(log);
  await troupe.work(account, { timings: { joinDelayMs: 0 } });
  const bare = await bareResponder(stage);
  const race = {
    unit: "ms",
    better: "less",
    rounds,
    versus: "bare publish, ack and reply",
  } as const;
  let number = 0;
  const ask = (): Promise<unknown> =>
    troupe.agent(account, `key-${number++ % 100}`).deposit(deposit);
  const rows: BenchRow[] = [];
  for (const q of [0.5, 0.99]) {
    rows.push(
      await contest({
        ...race,
        name: `ask-p${q * 100}`,
        goal: 0.5,
        ours: () => latencyMs(asks, q, ask),
        theirs: () => latencyMs(asks, q, () => bare.ask()),
      }),
    );
  }
  await bare.stop();
  return rows;
}

async function latencyMs(count: number, q: number, ask: () => Promise<unknown>): Promise<number> {
  const tookMs: number[] = [];
  for (let i = 0; i < count; i++) {
    const startedAt = performance.now();
    await ask();
    tookMs.push(performance.now() - startedAt);
  }
  return percentile(tookMs, q);
}

async function bareResponder(
  stage: Stage,
): Promise<{ ask(): Promise<unknown>; stop(): Promise<void> }> {
  const { raw } = stage;
  const stream = "bare";
  const manager = await jetstreamManager(raw);
  await manager.streams.add({ name: stream, subjects: ["bare.>"] });
  await manager.consumers.add(stream, { durable_name: "bare", ack_policy: "none" });
  const consumer = await jetstream(raw).consumers.get(stream, "bare");
  const inbox = "_INBOX.bare";
  const messages = await consumer.consume({
    callback: (message) => raw.publish(`${inbox}.${message.subject.slice(5)}`, depositBytes),
  });
  const waiters = new Map<string, () => void>();
  const replies = raw.subscribe(`${inbox}.*`, {
    callback: (_error, { subject }) => waiters.get(subject)?.(),
  });
  let number = 0;
  return {
    async ask() {
      const id = number++;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiters.set(`${inbox}.${id}`, resolve);
      await Promise.all([raw.request(`bare.${id}`, depositBytes), promise]);
      waiters.delete(`${inbox}.${id}`);
    },
    async stop() {
      await messages.close();
      replies.unsubscribe();
      await manager.streams.delete(stream);
    },
  };
}
