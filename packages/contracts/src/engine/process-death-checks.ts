/**
 * Runs that end with their process are counted in the journal (RUN-1 to RUN-4 in run-counting.ts).
 */
import assert from "node:assert/strict";

import { resumeDraft, decodeJournalRecord } from "@troupe/core/operate";
import type { Log } from "@troupe/core/log";
import { range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { wholeJournal } from "../observe.ts";
import type { Ledger } from "./ledger.ts";
import { ledger, lettersOf, notesOf, recordsOf, sendTo } from "./ledger.ts";
import type { Host, HostOptions } from "./stage.ts";
import { Stage } from "./stage.ts";

const never = (): Promise<void> => Promise.withResolvers<void>().promise;

export const processDeathChecks: readonly LogCheck[] = [
  {
    name: "a message that ends its processes is given up by name, and none of its neighbours",
    async run(harness) {
      await using stage = new Stage(harness);
      const keys = range(12).map((index) => `key-${index}`);
      const lives = new Lives(stage);
      const log = await stage.log();
      const client = await stage.client();
      const slow = range(4).map((index) => `slow-${index}`);
      await lives.begin({ retry: { attemptsMax: 3 } });
      for (const key of slow) await client.send(lives.book, key).note({ text: "slow" });
      await client.send(lives.book, "bad").note({ text: "deadly" });
      await sendTo(client, lives.book, keys, 2);
      const deaths = await lives.untilHandled("bad");
      assert.equal(deaths, 4);
      const [record] = await recordsOf(log, "bad");
      assert.equal(record?.failure?.code, "process-died");
      assert.equal(record?.attempts, 3);
      assert.deepEqual(record?.failure?.details?.["deaths"], 3);
      await stage.until("the neighbours are handled", async () =>
        (await Promise.all([...keys, ...slow].map((key) => recordsOf(log, key)))).every(
          ({ length }, index) => length === (index < keys.length ? 2 : 1),
        ),
      );
      for (const key of keys) assert.deepEqual(await notesOf(log, key), ["0", "1"]);
      for (const key of slow) {
        const [innocent] = await recordsOf(log, key);
        assert.equal(innocent?.failure, undefined);
        assert.ok((innocent?.attempts ?? 9) <= 2, `${key} was counted ${innocent?.attempts} times`);
      }
      assert.deepEqual(await lettersOf(log), ["process-died"]);
    },
  },
  {
    name: "a message that ends its processes parks its agent where the policy says so, and counts anew",
    async run(harness) {
      await using stage = new Stage(harness);
      const lives = new Lives(stage);
      const client = await stage.client();
      const retry = { deathsMax: 1, exhausted: "park" } as const;
      await lives.begin({ retry });
      await client.send(lives.book, "bad").note({ text: "deadly" });
      await lives.untilHeard("agent.parked");
      lives.isHarmless = true;
      await client.log.accept(resumeDraft({ type: "ledger", key: "bad" }));
      await lives.untilHandled("bad");
      assert.deepEqual(await notesOf(await stage.log(), "bad"), ["deadly"]);
    },
  },
  {
    name: "nothing is written down beside the turns where every partition was released",
    async run(harness) {
      await using stage = new Stage(harness);
      const log = await stage.log();
      for (const text of ["1", "2"]) {
        const host = await stage.host(ledger());
        await host.troupe.agent(ledger(), "alice").note({ text });
        await host.worker.stop();
      }
      const client = await stage.client();
      await client.send(ledger(), "alice").note({ text: "3" });
      const last = await stage.host(ledger());
      await last.heard.has("turn.committed");
      assert.deepEqual(await kindsOf(log, "alice"), ["turn", "turn", "turn"]);
      last.crash();
      await client.send(ledger(), "alice").note({ text: "4" });
      const next = await stage.host(ledger());
      await next.heard.has("turn.committed");
      assert.deepEqual(await kindsOf(log, "alice"), ["turn", "turn", "turn", "steps", "turn"]);
    },
  },
  {
    name: "a suspicion that a release handed over is taken up",
    async run(harness) {
      await using stage = new Stage(harness);
      const log = await stage.log();
      const first = await stage.host(ledger());
      await first.troupe.agent(ledger(), "alice").note({ text: "1" });
      await first.worker.stop();
      await log.saveFloors((await log.floors()).map((floor) => ({ ...floor, suspected: true })));
      const client = await stage.client();
      await client.send(ledger(), "alice").note({ text: "2" });
      const next = await stage.host(ledger());
      await next.heard.has("turn.committed");
      assert.deepEqual(await kindsOf(log, "alice"), ["turn", "steps", "turn"]);
    },
  },
  {
    name: "runs that a stop gave back do not count, however many there are",
    async run(harness) {
      await using stage = new Stage(harness);
      const stuck = ledger(never);
      const client = await stage.client();
      const first = await stage.host(stuck);
      await client.send(stuck, "alice").note({ text: "1" });
      await first.heard.has("turn.started");
      // From now on the message is a suspect, and each of its runs is written down.
      first.crash();
      const retry = { attemptsMax: 1, deathsMax: 1 };
      for (const id of ["second", "third", "fourth"]) {
        const host = await stage.host(stuck, { id, retry });
        await host.heard.has("turn.started");
        await host.worker.stop({ drainTimeoutMs: 0 });
      }
      const healthy = await stage.host(ledger(), { retry });
      await healthy.heard.has("turn.committed");
      assert.deepEqual(await notesOf(await stage.log(), "alice"), ["1"]);
    },
  },
];

/** Workers that follow each other, as a supervisor starts them; a message ends each of them. */
class Lives {
  readonly book: Ledger;
  isHarmless = false;
  readonly #stage: Stage;
  #options: HostOptions = {};
  #host: Host | undefined;
  #died = Promise.withResolvers<void>();
  #deaths = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.book = ledger((_, { text }) => {
      // In flight whenever one of the first two processes dies.
      if (text === "slow" && this.#deaths < 2) return never();
      if (text !== "deadly" || this.isHarmless) return undefined;
      this.#host?.crash();
      this.#died.resolve();
      return never();
    });
  }

  async begin(options: HostOptions): Promise<void> {
    this.#options = options;
    this.#died = Promise.withResolvers();
    // The same id again, as where a supervisor names its processes.
    this.#host = await this.#stage.host(this.book, { ...options, id: "supervised" });
  }

  /** Starts a worker after each that died. Returns how many died. */
  async untilHandled(key: string): Promise<number> {
    const log = await this.#stage.log();
    await this.#until(async () => (await recordsOf(log, key)).length > 0);
    return this.#deaths;
  }

  async untilHeard(kind: "agent.parked"): Promise<void> {
    await this.#until(async () => (this.#host?.heard.of(kind).length ?? 0) > 0);
  }

  async #until(isOver: () => Promise<boolean>): Promise<void> {
    for (;;) {
      const over = this.#stage.until("it is over, or dies once more", isOver);
      if ((await Promise.race([over.then(() => true), this.#died.promise])) === true) return;
      over.catch(() => undefined);
      this.#deaths += 1;
      await this.begin(this.#options);
    }
  }
}

async function kindsOf(log: Log, key: string): Promise<readonly string[]> {
  const entries = await wholeJournal(log, { type: "ledger", key });
  return entries.map(({ record }) => decodeJournalRecord(record).kind);
}
