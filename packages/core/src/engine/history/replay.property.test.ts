/**
 * Laws of the engine on random histories: the live state, the replayed state and an independent
 * fold of the accepted inputs are the same, whatever commits are lost or refused, however often
 * inputs are read again, and though two workers do everything at once.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { encodeRecord } from "../../journal/turn-record-codec.ts";
import { agent, createTroupe, Reject } from "@troupe/core";
import { decodePayload } from "@troupe/core/log";
import { decodeJournalRecord, decodeRecord } from "@troupe/core/operate";
import type { Troupe } from "@troupe/core";
import type { Input, Log } from "@troupe/core/log";
import type { TurnRecord } from "@troupe/core/operate";
import { createMemoryBroker, overlay } from "@troupe/testing";
import type { CommitFault, MemoryBroker } from "@troupe/testing";

const nextTurnOfTheLoop = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const amount = z.object({ amount: z.number(), to: z.string().optional() });

const bank = agent("bank")
  .state({ balance: 0, moves: [] as readonly string[] })
  .event("moved", amount, (state, { amount: by, to }) => ({
    balance: state.balance + by,
    moves: [...state.moves, `${by} ${to ?? "here"}`],
  }))
  .on("deposit", amount, (ctx, { amount: by }) => {
    ctx.emit.moved({ amount: by, to: undefined });
    return ctx.state.balance;
  })
  .on("withdraw", amount, async (ctx, { amount: by }) => {
    ctx.emit.moved({ amount: -by });
    await nextTurnOfTheLoop();
    if (ctx.state.balance < 0) throw new Reject("overdrawn");
    return ctx.state.balance;
  })
  .on("transfer", amount, (ctx, { amount: by, to = "a" }) => {
    ctx.emit.moved({ amount: -by, to });
    ctx.send(bank, to).deposit({ amount: by });
  });

const keys = ["a", "b", "c"] as const;
const command = fc.record({
  key: fc.constantFrom(...keys),
  message: fc.constantFrom("deposit", "withdraw", "transfer"),
  amount: fc.integer({ min: 1, max: 9 }),
  to: fc.constantFrom(...keys),
});
const fault = fc.constantFrom<CommitFault>("conflict", "unavailable", "lost-ack");
type Command = typeof command extends fc.Arbitrary<infer Value> ? Value : never;

/** Accounts that the inputs on the log lead to, computed without the engine. */
async function model(log: Log): Promise<Map<string, string[]>> {
  const moves = new Map<string, string[]>(keys.map((key) => [key, []]));
  const balances = new Map<string, number>();
  for await (const entry of log.follow({ from: 1, untilNow: true })) {
    if (entry.kind !== "input") continue;
    const { address, metadata, payload } = entry.input;
    const input = amount.parse(decodePayload(payload, metadata.contentType));
    const balance = balances.get(address.key) ?? 0;
    const by = metadata.message === "deposit" ? input.amount : -input.amount;
    if (metadata.message === "withdraw" && balance + by < 0) continue;
    balances.set(address.key, balance + by);
    const to = metadata.message === "transfer" ? (input.to ?? "a") : "here";
    moves.get(address.key)?.push(`${by} ${to}`);
  }
  return moves;
}

function hostedOn(log: Log): Promise<Troupe> {
  const troupe = createTroupe(log);
  const timings = { joinDelayMs: 0, heartbeatMs: 20 };
  return troupe
    .work(bank, { timings, retry: { delayMs: 1, delayMsMax: 2 }, floorIntervalMs: 5 })
    .then(() => troupe);
}

/** Resolves when every input has its turn, and the messages that turns sent are there. */
async function handled(broker: MemoryBroker): Promise<void> {
  await expect
    .poll(
      () => {
        const ids = new Set(inputsOf(broker).map(({ metadata }) => metadata.id));
        const turns = turnsOf(broker);
        const missing = turns.flatMap(({ sent }) => sent).filter(({ id }) => !ids.has(id));
        return missing.length + inputsOf(broker).length - turns.length;
      },
      { interval: 2, timeout: 5000 },
    )
    .toBe(0);
}

function inputsOf(broker: MemoryBroker): readonly Input[] {
  return broker.entries().flatMap((entry) => (entry.kind === "input" ? [entry.input] : []));
}

/** Turn records without the other entries of a journal, such as a run that begins. */
function turnsOf(broker: MemoryBroker): readonly TurnRecord[] {
  return broker.entries().flatMap((entry) => {
    const record = entry.kind === "turn" ? decodeJournalRecord(entry.entry.record) : undefined;
    return record?.kind === "turn" ? [record.turn] : [];
  });
}

async function sendAll(troupe: Troupe, commands: readonly Command[]): Promise<void> {
  for (const { key, message, amount: by, to } of commands) {
    await troupe.send(bank, key)[message]({ amount: by, to });
  }
}

async function replayed(troupe: Troupe, key: string): Promise<readonly string[]> {
  let moves: readonly string[] = [];
  for await (const turn of troupe.replay(bank, key)) moves = turn.state.moves;
  return moves;
}

async function expectModel(log: Log, troupe: Troupe): Promise<void> {
  const expected = await model(log);
  for (const key of keys) expect(await replayed(troupe, key)).toEqual(expected.get(key));
}

/** Sees only itself, so it takes everything. */
function alone(log: Log): Log {
  return overlay(log, { onPresence: () => () => undefined });
}

test("I8: replay = fold = live state, whatever commits are refused, lost or not answered", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 30 }),
      fc.array(fault, { maxLength: 6 }),
      async (commands, faults) => {
        const broker = createMemoryBroker();
        const troupe = await hostedOn(broker.connect());
        for (const each of faults) broker.failNextCommit(each);
        await sendAll(troupe, commands);
        await handled(broker);
        await expectModel(troupe.log, troupe);
        for (const key of keys) {
          const balance = await troupe.agent(bank, key).deposit({ amount: 0 });
          const moves = await replayed(troupe, key);
          expect(balance).toBe(moves.reduce((sum, move) => sum + Number.parseInt(move, 10), 0));
        }
        await troupe.close();
      },
    ),
    { numRuns: 30 },
  );
});

test("I4: reading everything again changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 20 }), async (commands) => {
      const broker = createMemoryBroker();
      const first = await hostedOn(broker.connect());
      await sendAll(first, commands);
      await handled(broker);
      await first.close();
      const inputs = inputsOf(broker).length;
      const again = overlay(broker.connect(), { floors: async () => [] });
      const second = await hostedOn(again);
      await second.agent(bank, "a").deposit({ amount: 0 });
      await second.agent(bank, "b").deposit({ amount: 0 });
      await second.agent(bank, "c").deposit({ amount: 0 });
      expect([inputsOf(broker).length, turnsOf(broker).length]).toEqual([inputs + 3, inputs + 3]);
      await expectModel(again, second);
      await second.close();
    }),
    { numRuns: 20 },
  );
});

test("I5: two workers that do everything at once change nothing", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { minLength: 1, maxLength: 20 }),
      fc.array(fault, { maxLength: 3 }),
      async (commands, faults) => {
        const broker = createMemoryBroker();
        const hosts = [
          await hostedOn(alone(broker.connect())),
          await hostedOn(alone(broker.connect())),
        ];
        for (const each of faults) broker.failNextCommit(each);
        const [first, second] = hosts as [Troupe, Troupe];
        await sendAll(first, commands);
        await handled(broker);
        await expectModel(second.log, second);
        await Promise.all(hosts.map((troupe) => troupe.close()));
      },
    ),
    { numRuns: 20 },
  );
});

test("the law can fail: it does when the journal hides which inputs it has", async () => {
  const forgetful = (log: Log): Log =>
    overlay(alone(log), {
      journal: async (agentId, after) =>
        (await log.journal(agentId, after)).map((entry) => {
          const record = { ...decodeRecord(entry.record), inputPosition: 0 };
          return { ...entry, record: encodeRecord(record) };
        }),
    });
  const broker = createMemoryBroker();
  const troupe = await hostedOn(forgetful(broker.connect()));
  broker.failNextCommit("lost-ack");
  await troupe.agent(bank, "a").deposit({ amount: 1 });
  await expect(expectModel(troupe.log, troupe)).rejects.toThrow(/deeply equal/);
  await troupe.close();
});
