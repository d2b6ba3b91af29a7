/** Cells: values that several processes change together (LOG-7). */
import assert from "node:assert/strict";

import type { Position, Log } from "@troupe/core/log";
import { bytes, range, text } from "./drafts.ts";
import { oddKeys } from "./key-checks.ts";
import type { LogCheck, LogHarness } from "./log-harness.ts";
import { rejectsWith } from "./observe.ts";
import { until } from "./until.ts";

export const cellChecks: readonly LogCheck[] = [
  {
    name: "a cell is what was written last, with its revision and time, for everybody",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      assert.equal(await log.cell("quota"), undefined);
      const first = await log.writeCell("quota", bytes("first"), 0);
      const second = await other.writeCell("quota", bytes("second"), first);
      assert.ok(second > first, "revisions grow");
      await until(harness, "the cell is read", async () => {
        return (await log.cell("quota"))?.revision === second;
      });
      const cell = await log.cell("quota");
      assert.equal(text(cell?.value ?? bytes("nothing")), "second");
      const third = await log.writeCell("quota", bytes("third"), second);
      await until(harness, "the cell is read", async () => {
        return (await other.cell("quota"))?.revision === third;
      });
      assert.ok(((await other.cell("quota"))?.storedAtMs ?? 0) >= (cell?.storedAtMs ?? Infinity));
    },
  },
  {
    name: "LOG-7: a write that does not name the last revision is refused and changes nothing",
    async run(harness) {
      const log = await harness.connect();
      await rejectsWith(log.writeCell("quota", bytes("none"), 7), "revision-conflict");
      assert.equal(await log.cell("quota"), undefined);
      const first = await log.writeCell("quota", bytes("first"), 0);
      await rejectsWith(log.writeCell("quota", bytes("again"), 0), "revision-conflict");
      const second = await log.writeCell("quota", bytes("second"), first);
      await rejectsWith(log.writeCell("quota", bytes("late"), first), "revision-conflict");
      // A refused write must not have used up the revision.
      assert.ok((await log.writeCell("quota", bytes("third"), second)) > second);
    },
  },
  {
    name: "LOG-7: of many that count in one cell at once, none is lost",
    async run(harness) {
      const logs = await Promise.all(range(3).map(() => harness.connect()));
      await Promise.all(
        logs.flatMap((log) => range(3).map(() => countTo(log, harness, "counter", 5))),
      );
      const [log] = logs;
      await until(harness, "the counter is 45", async () => {
        return log !== undefined && (await readCount(log, "counter")).count === 45;
      });
    },
  },
  {
    name: "cells of any name are apart, and a value that is too large is refused",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      await Promise.all(oddKeys.map((key) => log.writeCell(key, bytes(key), 0)));
      for (const key of oddKeys) {
        await until(harness, `the cell ${JSON.stringify(key)} is read`, async () => {
          const cell = await other.cell(key);
          return cell !== undefined && text(cell.value) === key;
        });
      }
      const tooLarge = new Uint8Array(log.limits.payloadBytesMax + 1);
      await rejectsWith(log.writeCell("large", tooLarge, 0), "payload-too-large");
    },
  },
  {
    name: "who watches a cell hears what is written to it, and nothing of another one",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const [own, others, stopped]: Position[][] = [[], [], []];
      log.onCell("watched", (revision) => own?.push(revision));
      other.onCell("watched", (revision) => others?.push(revision));
      const end = other.onCell("watched", (revision) => stopped?.push(revision));
      end();
      const written: Position[] = [];
      // A hint may be lost, so there is another one until both heard.
      await until(harness, "the change is heard by both", async () => {
        await log.writeCell("another", bytes("x"), (await latest(log, "another")) ?? 0);
        written.push(await log.writeCell("watched", bytes("x"), written.at(-1) ?? 0));
        return [own, others].every((heard) => (heard ?? []).length > 0);
      });
      for (const revision of [...(own ?? []), ...(others ?? [])]) {
        assert.ok(written.includes(revision), `${revision} was written to this cell`);
      }
      assert.deepEqual(stopped, []);
    },
  },
  {
    name: "a cell survives a restart of the broker, and is still guarded",
    needs: "restart",
    async run(harness) {
      const log = await harness.connect();
      const revision = await log.writeCell("quota", bytes("first"), 0);
      await harness.restart?.();
      await until(harness, "the cell is read", async () => {
        const cell = await log.cell("quota").catch(() => undefined);
        return cell?.revision === revision && text(cell.value) === "first";
      });
      await rejectsWith(log.writeCell("quota", bytes("late"), 0), "revision-conflict");
      assert.ok((await log.writeCell("quota", bytes("second"), revision)) > revision);
    },
  },
];

/** Count one up, `times` times, as often as others come in between. */
async function countTo(log: Log, harness: LogHarness, name: string, times: number): Promise<void> {
  for (let done = 0; done < times; done++) {
    await until(harness, "a write is not refused", async () => {
      const { count, revision } = await readCount(log, name);
      return log.writeCell(name, bytes(`${count + 1}`), revision).then(
        () => true,
        () => false,
      );
    });
  }
}

async function readCount(
  log: Log,
  name: string,
): Promise<{ readonly count: number; readonly revision: Position }> {
  const cell = await log.cell(name);
  return { count: Number(text(cell?.value ?? bytes("0"))), revision: cell?.revision ?? 0 };
}

async function latest(log: Log, name: string): Promise<Position | undefined> {
  return (await log.cell(name))?.revision;
}
