/**
 * A key with more unhandled messages than it may have in memory is read back from the log, and
 * holds up nobody (I2, I7). Every check has its keys in one partition.
 */
import assert from "node:assert/strict";
import { setImmediate as nextTurnOfTheLoop } from "node:timers/promises";

import { agentNamed, agent, topic } from "@troupe/core";
import type { Troupe } from "@troupe/core";
import type { Position, Log } from "@troupe/core/log";
import { resumeDraft } from "@troupe/core/operate";
import { bytes, keysOfPartition, range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { anything, type Ledger, ledger, noteSchema, notesOf } from "./ledger.ts";
import { type Host, Stage } from "./stage.ts";
import type { Tamper } from "./tampered-log.ts";

export const backlogChecks: readonly LogCheck[] = [
  {
    name: "I2: a key whose handler does not end holds up no other key, and loses nothing of 5000 messages",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const book = ledger((_, { text }) => (text === "wait" ? gate.promise : undefined));
      const host = await stage.host(book);
      const [stuck = "", ...others] = keysOf(host.troupe.log, 21);
      await host.troupe.send(book, stuck).note({ text: "wait" });
      const texts = await sendInOrder(host.troupe, book, stuck, 5000);
      const asked = others.map((key) => host.troupe.agent(book, key).note({ text: "go" }));
      assert.deepEqual(new Set(await Promise.all(asked)), new Set([1]));
      assert.deepEqual(await notesOf(host.troupe.log, stuck), []);
      gate.resolve();
      await handled(stage, stuck, ["wait", ...texts]);
      assert.equal(await host.troupe.agent(book, stuck).note({ text: "last" }), 5002);
    },
  },
  {
    name: "I2: an agent whose journal cannot be read holds up no other one, and handles 3000 messages when it can",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger();
      const client = await stage.client();
      const [stuck = "", ...others] = keysOf(client.log, 11);
      let broken = true;
      const host = await stage.host(book, {
        tamper: (log) => ({
          journal: async (of, after, options) =>
            broken && of.key === stuck
              ? [{ record: bytes("no record"), revision: after + 1, committedAtMs: 0 }]
              : log.journal(of, after, options),
        }),
      });
      const texts = await sendInOrder(client, book, stuck, 3000);
      await host.heard.has("fault");
      const asked = others.map((key) => client.agent(book, key).note({ text: "go" }));
      assert.deepEqual(new Set(await Promise.all(asked)), new Set([1]));
      broken = false;
      await handled(stage, stuck, texts);
    },
  },
  {
    name: "I2: many keys that are stuck at once hold up no other key, whatever waits for them",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const book = ledger((_, { text }) => (text === "0" ? gate.promise : undefined));
      const host = await stage.host(book, { windowMax: 128, keyWindowMax: 1 });
      const [free = "", ...stuck] = keysOf(host.troupe.log, 31);
      await Promise.all(stuck.map((key) => sendInOrder(host.troupe, book, key, 20)));
      assert.equal(await host.troupe.agent(book, free).note({ text: "go" }), 1);
      gate.resolve();
      const inOrder = range(20).map((i) => `${i}`);
      for (const key of stuck) await handled(stage, key, inOrder);
    },
  },
  {
    name: "I2: messages and publications that are read back keep one order",
    async run(harness) {
      await using stage = new Stage(harness);
      const notices = topic("notices", noteSchema);
      const slow = ledger(() => nextTurnOfTheLoop()).subscribe(notices, async (context, note) => {
        await nextTurnOfTheLoop();
        context.emit.noted(note);
      });
      const watch = new ReadBack();
      const { troupe } = await stage.host(slow, { ...tiny, tamper: watch.tamper });
      const [key = ""] = keysOf(troupe.log, 1);
      const accepted = range(300).map(async (i) => {
        const text = `${i}`;
        const receipt =
          i % 3 === 0
            ? await troupe.publish(notices, key, { text })
            : await troupe.send(slow, key).note({ text });
        return { text, position: receipt.position };
      });
      await handled(stage, key, inLogOrder(await Promise.all(accepted)));
      assert.ok(watch.calls > 0);
    },
  },
  {
    name: "I2, I4: keys that are behind go to another worker, and to another one when that dies",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger(() => nextTurnOfTheLoop());
      const client = await stage.client();
      const keys = keysOf(client.log, 3);
      const watch = new ReadBack();
      const first = await stage.host(book, { ...tiny, tamper: watch.tamper });
      const sent = Promise.all(keys.map((key) => sendInOrder(client, book, key, 400)));
      await stage.until("inputs are read back", () => watch.calls > 3);
      const second = await stage.host(book, tiny);
      await first.worker.stop();
      await second.heard.has("turn.committed", 50);
      second.crash();
      await stage.host(book, tiny);
      const texts = await sent;
      for (const [index, key] of keys.entries()) await handled(stage, key, texts[index] ?? []);
    },
  },
  {
    name: "the floor stays below what was left on the log, and passes it when it is handled (I1)",
    async run(harness) {
      await using stage = new Stage(harness);
      // One is in the queue, one on the log, one is read back when nothing is left behind it.
      const gates = new Map(
        ["1", "90", "198"].map((text) => [text, Promise.withResolvers<void>()]),
      );
      const book = ledger((_, { text }) => gates.get(text)?.promise);
      const host = await stage.host(book, { ...tiny, windowMax: 64, floorIntervalMs: 5 });
      const { log } = host.troupe;
      const [stuck = ""] = keysOf(log, 1);
      const [elsewhere = ""] = keysOfPartition(log, 5, 1);
      const saved = async (): Promise<Position> => {
        const { position } = await host.troupe.send(book, elsewhere).note({ text: "saved" });
        const reached = async (): Promise<boolean> => (await floorOf(log, 5)) >= position;
        await stage.until("the floors are saved", reached);
        return floorOf(log, partition);
      };
      const positions: Position[] = [];
      for (const text of range(200).map(String)) {
        positions.push((await host.troupe.send(book, stuck).note({ text })).position);
      }
      for (const [text, gate] of gates) {
        const index = Number(text);
        await stage.until(`${text} is what it waits for`, async () => {
          return (await notesOf(log, stuck)).length === index;
        });
        // The second save begins after the first: it has the floors of this moment.
        await saved();
        assert.ok((await saved()) < (positions[index] ?? 0), `the floor while ${text} is handled`);
        gate.resolve();
      }
      await handled(stage, stuck, range(200).map(String));
      await stage.until("the floor is at the end", async () => {
        return (await floorOf(log, partition)) >= (positions.at(-1) ?? 0);
      });
    },
  },
  {
    name: "a key that is parked while it is behind keeps its order when it is resumed (I2, I11)",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      let broken = true;
      const book = ledger((_, { text }) => {
        if (text === "5" && broken) throw new Error("not yet");
        return text === "0" ? gate.promise : undefined;
      });
      const options = { ...tiny, retry: { attemptsMax: 2, exhausted: "park" } } as const;
      const host: Host = await stage.host(book, options);
      const [key = ""] = keysOf(host.troupe.log, 1);
      const texts = await sendInOrder(host.troupe, book, key, 300);
      gate.resolve();
      await host.heard.has("agent.parked");
      const more = await sendInOrder(host.troupe, book, key, 100, "parked ");
      broken = false;
      await host.troupe.log.accept(resumeDraft({ type: "ledger", key }));
      const later = await sendInOrder(host.troupe, book, key, 100, "resumed ");
      await host.heard.has("agent.resumed");
      await handled(stage, key, [...texts, ...more, ...later]);
    },
  },
  {
    name: "I2: agents of one partition ask each other while more waits for them than the window holds",
    async run(harness) {
      await using stage = new Stage(harness);
      const asker = agent("asker").on("go", anything<{ key: string }>(), async (ctx, { key }) =>
        ctx.ask(agentNamed("asker"), key)["answer"]?.({}),
      );
      const both = asker.on("answer", anything(), () => "answered");
      const { troupe } = await stage.host(both, { windowMax: 8, keyWindowMax: 1 });
      const [first = "", second = ""] = keysOf(troupe.log, 2);
      const asked = range(40).map(() => troupe.agent(both, first).go({ key: second }));
      assert.deepEqual(new Set(await Promise.all(asked)), new Set(["answered"]));
    },
  },
  {
    name: "I1: a server that is behind hides nothing that is read back",
    async run(harness) {
      await using stage = new Stage(harness);
      let reads = 0;
      const tamper: Tamper = (log) => ({
        inputsOf: async (...request) => {
          reads += 1;
          const [, , , , options] = request;
          const page = await log.inputsOf(...request);
          // Less than there is; and nothing, or with a hole, where the leader was not asked.
          if (options?.firm === true) return page.slice(0, 7);
          return page.length % 2 === 0 ? [] : page.slice(1);
        },
      });
      const book = ledger(() => nextTurnOfTheLoop());
      const { troupe } = await stage.host(book, { ...tiny, tamper });
      const [key = ""] = keysOf(troupe.log, 1);
      await handled(stage, key, await sendInOrder(troupe, book, key, 100));
      assert.ok(reads > 10);
    },
  },
  {
    name: "I1: what comes while a key that is behind looks for what was removed is handled",
    async run(harness) {
      await using stage = new Stage(harness);
      const client = await stage.client();
      const [key = "", witness = ""] = keysOf(client.log, 2);
      const begun = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const book = ledger((_, { text }) => {
        if (text !== "0") return undefined;
        begun.resolve();
        return gate.promise;
      });
      let late: Promise<unknown> | undefined;
      const tamper: Tamper = (log) => ({
        inputsOf: async (of, topics, after, before, options) => {
          if (late !== undefined) return log.inputsOf(of, topics, after, before, options);
          await log.destroy({ kind: "inputs", agent: of }, before - 1);
          const page = await log.inputsOf(of, topics, after, before, options);
          await client.send(book, key).note({ text: "late" });
          // The reader brings them in order: it had the other one before this one is handled.
          late = client.agent(book, witness).note({ text: "late" });
          await late;
          return page;
        },
      });
      const { heard } = await stage.host(book, { ...tiny, tamper });
      await client.send(book, key).note({ text: "0" });
      // Nothing is read back while it runs, so all others are behind it.
      await begun.promise;
      for (const n of range(9)) await client.send(book, key).note({ text: `${n + 1}` });
      await client.agent(book, witness).note({ text: "all are read" });
      gate.resolve();
      await handled(stage, key, ["0", "1", "2", "late"]);
      await late;
      assert.equal(heard.of("fault").length, 1);
    },
  },
];

/** The partition of all keys. */
const partition = 3;

/** Every key with more than two waiting messages is behind. */
const tiny = { windowMax: 16, keyWindowMax: 2 } as const;

/** Counts how often inputs were read back. */
class ReadBack {
  calls = 0;

  readonly tamper: Tamper = (log) => ({
    inputsOf: (...request) => {
      this.calls += 1;
      return log.inputsOf(...request);
    },
  });
}

function keysOf(log: Log, count: number): string[] {
  return keysOfPartition(log, partition, count);
}

/** Many at once; returns the texts in log order. */
async function sendInOrder(
  client: Troupe,
  book: Ledger,
  key: string,
  count: number,
  prefix = "",
): Promise<string[]> {
  const sent = range(count).map(async (i) => {
    const text = `${prefix}${i}`;
    const { position } = await client.send(book, key).note({ text });
    return { text, position };
  });
  return inLogOrder(await Promise.all(sent));
}

function inLogOrder(sent: readonly { text: string; position: Position }[]): string[] {
  return sent.toSorted((a, b) => a.position - b.position).map(({ text }) => text);
}

/** All of them are in the journal, once and in this order. */
async function handled(stage: Stage, key: string, texts: readonly string[]): Promise<void> {
  const log = await stage.log();
  await stage.until(`${texts.length} turns of ${key}`, async () => {
    return (await notesOf(log, key)).length >= texts.length;
  });
  assert.deepEqual(await notesOf(log, key), texts);
}

/** The saved floor of the ledgers in a partition. */
async function floorOf(log: Log, of: number): Promise<Position> {
  const floors = await log.floors();
  return floors.find((each) => each.type === "ledger" && each.partition === of)?.position ?? 0;
}
