/** Erasures that end in the middle, whatever was written last, and are done again later. */
import assert from "node:assert/strict";

import { agent, personal } from "@troupe/core";
import type { Troupe } from "@troupe/core";
import type { Erasure } from "@troupe/core/operate";
import type { KeyStore, Log } from "@troupe/core/log";
import { journalPages, subjectKeys } from "@troupe/core/engine";
import type { LogCheck } from "../log-harness.ts";
import { anything } from "./ledger.ts";
import { Stage } from "./stage.ts";
import type { Tamper } from "./tampered-log.ts";

const text = personal(anything<{ readonly text: string }>(), { fields: { text: "(erased)" } });

const guest = agent("guest")
  .state<readonly string[]>([])
  .event("said", text, (all, { text: said }) => [...all, said])
  .on("say", text, (ctx, message) => {
    ctx.emit.said(message);
    ctx.send(host, "h").hear({});
    ctx.after(3_600_000).say(message);
  })
  .on("fail", anything<object>(), () => {
    throw new Error("on purpose");
  })
  .on("look", anything<object>(), (ctx) => ctx.state);

const host = agent("host").on("hear", anything<object>(), () => undefined);

async function live(troupe: Troupe, key: string): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await troupe.agent(guest, key).say({ text: `${turn}` });
  await troupe.send(guest, key).fail({});
  await troupe.agent(guest, key).look({});
}

/** The process of whoever erases ends before it writes once more than so often. */
function endingAfter(writes: number): Tamper {
  let left = writes;
  const counted =
    <Arguments extends readonly unknown[], Result>(
      write: (...values: Arguments) => Promise<Result>,
    ) =>
    async (...values: Arguments): Promise<Result> => {
      left -= 1;
      if (left < 0) throw new Error("killed");
      return write(...values);
    };
  return (inner) => ({
    accept: counted((draft, options) => inner.accept(draft, options)),
    commit: counted((commits) => inner.commit(commits)),
    destroy: counted((part, upTo, options) => inner.destroy(part, upTo, options)),
    writeCell: counted((name, value, revision) => inner.writeCell(name, value, revision)),
    keys: {
      read: (name) => inner.keys.read(name),
      write: (name, value, revision) => inner.keys.write(name, value, revision),
      shred: counted((name, value, revision) => inner.keys.shred(name, value, revision)),
      onChange: (listener) => inner.keys.onChange(listener),
    } satisfies KeyStore,
  });
}

/**
 * Report of an erasure, without parts that may have gone by themselves before they were counted.
 */
function told({ key, parts, sent, sentCount }: Erasure): unknown {
  const gone = new Set(["timers", "snapshot"]);
  const counts = parts.filter(({ part }) => !gone.has(part));
  return {
    key,
    sentCount,
    sent: sent.length,
    counts: counts.map((each) => [each.part, each.count]),
  };
}

async function recordsOf(log: Log, key: string): Promise<number> {
  let records = 0;
  for await (const page of journalPages(log, { type: "guest", key }, 0)) records += page.length;
  return records;
}

export const erasureEndedChecks: readonly LogCheck[] = [
  {
    name: "ERASE-2, ERASE-3: an erasure that ends after any write is finished by doing it again, and a new life stays",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host([guest, host]);
      const log = await stage.log();
      await live(troupe, "whole");
      const whole = await troupe.erase(guest, "whole");
      let ends = 0;
      for (let writes = 0, isWhole = false; !isWhole; writes++) {
        const key = `k${writes}`;
        await live(troupe, key);
        const keyId = await subjectKeys(log).idOf(`guest/${key}`);
        const eraser = await stage.client({ tamper: endingAfter(writes) });
        const ended = await eraser.erase(guest, key).catch((thrown: unknown) => thrown);
        isWhole = !(ended instanceof Error);
        if (isWhole) continue;
        assert.match(String(ended), /killed/);
        ends += 1;
        const before = await troupe.agent(guest, key).look({});
        await troupe.agent(guest, key).say({ text: "new" });
        const isNewKey = (await subjectKeys(log).idOf(`guest/${key}`)) !== keyId;
        const again = await troupe.erase(guest, key);
        const after = await troupe.agent(guest, key).look({});
        const where = `after ${writes} writes`;
        if (before.length > 0) assert.deepEqual(after, [], `${where}: all of it was before`);
        else {
          assert.equal(again.resumed, true, where);
          assert.deepEqual(told(again), told(whole), where);
          assert.deepEqual(after, [isNewKey ? "new" : "(erased)"], where);
          const timers = await log.holdings(
            { kind: "timers", agent: { type: "guest", key } },
            Infinity,
          );
          assert.equal(timers.count, 1, `${where}: the timer of the new life`);
        }
        const { last } = await log.end();
        const own = { type: "guest", key } as const;
        const letters = await log.holdings({ kind: "dead-letters", agent: own }, last);
        assert.equal(letters.count, 0, where);
        // The tombstone, and the new life's turns.
        assert.equal(await recordsOf(log, key), before.length > 0 ? 2 : 4, where);
      }
      assert.ok(ends >= 10, `${ends} ways to end`);
    },
  },
];
