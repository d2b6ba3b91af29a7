/** A message that is in the journal is not handled again, and its reply is not lost (I4). */
import assert from "node:assert/strict";

import { range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { ledger, notesOf } from "./ledger.ts";
import { Stage } from "./stage.ts";
import type { Tamper } from "./tampered-log.ts";

const noFloors: Tamper = () => ({ floors: async () => [] });
const noReplies: Tamper = () => ({ reply: () => undefined });

export const redeliveryChecks: readonly LogCheck[] = [
  {
    name: "I4: inputs that are read again after their commit run nothing",
    async run(harness) {
      await using stage = new Stage(harness);
      let runs = 0;
      const agent = ledger(() => void (runs += 1));
      const first = await stage.host(agent);
      const texts = range(20).map((i) => `${i}`);
      for (const text of texts) await first.troupe.send(agent, "alice").note({ text });
      await first.heard.has("turn.committed", 20);
      await first.troupe.close();
      const second = await stage.host(agent, { tamper: noFloors });
      await second.heard.has("turn.duplicate", 20);
      assert.equal(await second.troupe.agent(agent, "alice").note({ text: "20" }), 21);
      assert.equal(runs, 21);
      assert.deepEqual(await notesOf(await stage.log(), "alice"), [...texts, "20"]);
    },
  },
  {
    name: "I4: an input that is read again is answered again from the journal",
    async run(harness) {
      await using stage = new Stage(harness);
      let runs = 0;
      const agent = ledger(() => void (runs += 1));
      const first = await stage.host(agent, { tamper: noReplies });
      const client = await stage.client({ tamper: withoutJournal });
      const asked = client.agent(agent, "alice").note({ text: "hello" });
      asked.catch(() => undefined);
      await first.heard.has("turn.committed");
      await first.troupe.close();
      const second = await stage.host(agent, { tamper: noFloors });
      assert.equal(await asked, 1);
      assert.equal(runs, 1);
      assert.deepEqual(
        second.heard.of("reply.sent").map(({ recorded }) => recorded),
        [true],
      );
    },
  },
  {
    name: "I4: a reply survives the death of the only worker, between commit and reply",
    async run(harness) {
      await using stage = new Stage(harness);
      const agent = ledger();
      const dies: { crash?: () => void } = {};
      const host = await stage.host(agent, { tamper: () => ({ reply: () => dies.crash?.() }) });
      dies.crash = host.crash;
      const client = await stage.client();
      assert.equal(await client.agent(agent, "alice").note({ text: "hello" }), 1);
    },
  },
  {
    name: "I4: a turn whose worker died before the commit is handled by the next one",
    async run(harness) {
      await using stage = new Stage(harness);
      const agent = ledger();
      const dies: { crash?: () => void } = {};
      const first = await stage.host(agent, {
        tamper: (log) => ({
          commit: (turns) => {
            dies.crash?.();
            return log.commit(turns);
          },
        }),
      });
      dies.crash = first.crash;
      const client = await stage.client();
      const asked = client.agent(agent, "alice").note({ text: "hello" });
      asked.catch(() => undefined);
      await first.heard.has("turn.started");
      await stage.host(agent);
      assert.equal(await asked, 1);
      assert.deepEqual(await notesOf(await stage.log(), "alice"), ["hello"]);
    },
  },
  {
    name: "I4: asking again under the same id returns the recorded reply",
    async run(harness) {
      await using stage = new Stage(harness);
      let runs = 0;
      const agent = ledger(() => void (runs += 1));
      const { troupe } = await stage.host(agent);
      assert.equal(await troupe.agent(agent, "alice").note({ text: "a" }, { id: "once" }), 1);
      assert.equal(await troupe.agent(agent, "alice").note({ text: "b" }), 2);
      assert.equal(await troupe.agent(agent, "alice").note({ text: "a" }, { id: "once" }), 1);
      assert.equal(runs, 2);
    },
  },
  {
    name: "I1: a message is on the log when send, publish and ask say that it is accepted",
    async run(harness) {
      await using stage = new Stage(harness);
      const agent = ledger();
      const host = await stage.host(agent);
      const log = await stage.log();
      const client = await stage.client();
      const receipt = await client.send(agent, "alice").note({ text: "sent" });
      assert.equal((await log.input(receipt.position))?.metadata.id, receipt.id);
      const again = await client.send(agent, "alice").note({ text: "sent" }, { id: receipt.id });
      assert.deepEqual(
        { ...again },
        { id: receipt.id, position: receipt.position, duplicate: true },
      );
      await host.heard.has("turn.committed");
      assert.deepEqual(await notesOf(log, "alice"), ["sent"]);
    },
  },
];

/** An asker that cannot look into the journal by itself. */
const withoutJournal: Tamper = () => ({ journal: async () => [] });
