/** JOB-4: a job is worked on as long as somebody wants it, and goes on when it is run again. */
import assert from "node:assert/strict";

import type { Troupe, Pipeline, StageContext } from "@troupe/core";
import { AskDeadlineError } from "@troupe/core/errors";
import { pipeline } from "@troupe/core";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import type { Note } from "./ledger.ts";
import { lettersOf, noteSchema, recordsOf } from "./ledger.ts";
import { redriveAll } from "./redrive-all.ts";
import type { Host } from "./stage.ts";
import { Stage } from "./stage.ts";

/** Time enough to come to the stage in the middle, also on a busy machine. */
const soonMs = 1000;
/** Long enough that only the other thing can have ended it. */
const longMs = 60_000;

/** Three stages; the one in the middle waits for the gate, or for being given up. */
interface Gated {
  readonly slow: Pipeline<Note, Note, string, unknown>;
  /** Stages that ran, by name, and the end of a waiting one. */
  readonly ran: string[];
  readonly open: () => void;
  /** Number of those that have begun to wait. */
  readonly waiting: () => number;
}

type Kind = "stage" | "parallel";

function gated(kind: Kind = "stage", timeoutMs?: number): Gated {
  const gate = Promise.withResolvers<void>();
  const ran: string[] = [];
  let waiting = 0;
  const wait = async ({ signal }: Pick<StageContext, "signal">, item: string): Promise<string> => {
    waiting += 1;
    await new Promise<void>((resolve) => {
      void gate.promise.then(resolve);
      signal.addEventListener("abort", () => {
        ran.push((signal.reason as { readonly code: string }).code);
        resolve();
      });
    });
    ran.push(`${item} waited`);
    return item;
  };
  const fallback = (): string => {
    ran.push("fall-back");
    return "saved";
  };
  const begun = pipeline("slow", noteSchema, timeoutMs === undefined ? {} : { timeoutMs }).stage(
    "first",
    (_, { text }) => {
      ran.push("first");
      return text.split(" ");
    },
  );
  const slow =
    kind === "stage"
      ? begun.stage("middle", async (ctx, [item = ""]) => [await wait(ctx, item)], {
          fallback: () => [fallback()],
        })
      : begun.parallel(
          "middle",
          { each: (items) => items, limit: 2 },
          (ctx, item) => (item === "quick" ? item : wait(ctx, item)),
          { fallback },
        );
  return {
    slow: slow.stage("last", (_, items: readonly string[]) => {
      ran.push("last");
      return items.join("+");
    }),
    ran,
    open: gate.resolve,
    waiting: () => waiting,
  };
}

async function eventsOf(stage: Stage, key = "job"): Promise<readonly string[]> {
  const records = await recordsOf(await stage.log(), key, "slow");
  return records.flatMap(({ events }) => events.map(({ type }) => type));
}

async function stopped(stage: Stage, times = 1): Promise<void> {
  await stage.until("the stop", async () => {
    return (await eventsOf(stage)).filter((type) => type === "stopped").length >= times;
  });
}

function ask(troupe: Troupe, { slow }: Gated, timeoutMs: number, text = "a"): Promise<string> {
  return troupe.agent(slow, "job", { timeoutMs }).run({ text });
}

/** An ask that can be given up. */
function revocable(
  troupe: Troupe,
  { slow }: Gated,
  { key = "job", text = "a" } = {},
): { readonly refused: Promise<void>; readonly giveUp: () => void } {
  const controller = new AbortController();
  const { signal } = controller;
  const asked = troupe.agent(slow, key, { signal, timeoutMs: longMs }).run({ text });
  return { refused: rejectsWith(asked, "ask-cancelled"), giveUp: () => controller.abort() };
}

async function waits(stage: Stage, { waiting }: Gated, count = 1): Promise<void> {
  await stage.until("the stage in the middle", () => waiting() >= count);
}

/** The job has taken in so many runs. */
async function takenIn(stage: Stage, count: number, key = "job"): Promise<void> {
  await stage.until("the askers", async () => {
    const records = await recordsOf(await stage.log(), key, "slow");
    return records.filter(({ message }) => message === "run").length >= count;
  });
}

async function dead(host: Host, count = 1): Promise<void> {
  await host.heard.has("dead-letter", count);
}

export const pipelineDemandChecks: readonly LogCheck[] = [
  {
    name: "JOB-4: an asker's deadline ends the stage under way, without its fall-back; asked again, the job goes on there",
    async run(harness) {
      await using stage = new Stage(harness);
      const job = gated();
      const { troupe } = await stage.host(job.slow.agents);
      await rejectsWith(ask(troupe, job, soonMs), "ask-deadline");
      await stopped(stage);
      assert.deepEqual(job.ran, ["first", "deadline-passed", "a waited"]);
      assert.deepEqual(await lettersOf(await stage.log()), ["deadline-passed"]);
      job.open();
      assert.equal(await ask(troupe, job, longMs), "a");
      assert.deepEqual(job.ran.slice(3), ["a waited", "last"]);
      assert.equal(await ask(troupe, job, longMs), "a");
    },
  },
  {
    name: "JOB-4: a stage and a part whose deadline passed while they waited for a worker do not run",
    async run(harness) {
      await using stage = new Stage(harness);
      const job = gated("parallel");
      const [jobs, parts] = job.slow.agents;
      assert.ok(jobs !== undefined && parts !== undefined);
      const host = await stage.host(jobs);
      await rejectsWith(ask(host.troupe, job, soonMs), "ask-deadline");
      job.open();
      await stage.host(parts);
      await stopped(stage);
      assert.deepEqual(job.ran, ["first"]);
      assert.equal(await ask(host.troupe, job, longMs), "a");
      assert.deepEqual(job.ran, ["first", "a waited", "last"]);
    },
  },
  {
    name: "JOB-4: of parts whose deadline passed only those run again, and the others' results count",
    async run(harness) {
      await using stage = new Stage(harness);
      const job = gated("parallel");
      const host = await stage.host(job.slow.agents);
      await rejectsWith(ask(host.troupe, job, soonMs, "a quick b quick c"), "ask-deadline");
      await stopped(stage, 2);
      assert.deepEqual(await lettersOf(await stage.log()), ["deadline-passed", "deadline-passed"]);
      job.open();
      assert.equal(await ask(host.troupe, job, longMs), "a+quick+b+quick+c");
      const events = await eventsOf(stage);
      assert.equal(events.filter((type) => type === "gathered").length, 5);
      assert.equal(job.ran.filter((each) => each === "first").length, 1);
      assert.ok(!job.ran.includes("fall-back"));
    },
  },
  {
    name: "JOB-4: a job that was sent goes on when its askers have given up",
    async run(harness) {
      await using stage = new Stage(harness);
      for (const kind of ["stage", "parallel"] as const) {
        const job = gated(kind);
        const { troupe, worker } = await stage.host(job.slow.agents);
        await troupe.send(job.slow, `sent-${kind}`).run({ text: "a" });
        await waits(stage, job);
        // Its own deadline, or its own word: neither ends the job.
        if (kind === "stage") {
          const late = troupe.agent(job.slow, `sent-${kind}`, { timeoutMs: soonMs });
          await rejectsWith(late.run({ text: "a" }), "ask-deadline");
        } else {
          const unwilling = revocable(troupe, job, { key: `sent-${kind}` });
          await takenIn(stage, 2, `sent-${kind}`);
          unwilling.giveUp();
          await unwilling.refused;
          // A process that hears this has heard of the cancellation before.
          await troupe.log.flush();
        }
        job.open();
        await stage.until("the end", () => job.ran.includes("last"));
        const again = troupe.agent(job.slow, `sent-${kind}`);
        assert.equal(await again.run({ text: "a" }), "a");
        assert.deepEqual(job.ran, ["first", "a waited", "last"]);
        assert.ok(!(await eventsOf(stage, `sent-${kind}`)).includes("stopped"));
        await worker.stop();
      }
    },
  },
  {
    name: "JOB-4: a job goes on under who asked later with more time, although an earlier deadline ended its stage",
    async run(harness) {
      await using stage = new Stage(harness);
      const job = gated();
      const host = await stage.host(job.slow.agents);
      const first = rejectsWith(ask(host.troupe, job, soonMs), "ask-deadline");
      await waits(stage, job);
      // Waits behind the stage.
      const second = ask(host.troupe, job, longMs);
      await first;
      await waits(stage, job, 2);
      job.open();
      assert.equal(await second, "a");
    },
  },
  {
    name: "JOB-4: a part goes on under who asked later with more time, although an earlier deadline ended it",
    async run(harness) {
      await using stage = new Stage(harness);
      const job = gated("parallel");
      const host = await stage.host(job.slow.agents);
      const first = rejectsWith(ask(host.troupe, job, soonMs), "ask-deadline");
      await waits(stage, job);
      const second = ask(host.troupe, job, longMs);
      await takenIn(stage, 2);
      await first;
      await waits(stage, job, 2);
      job.open();
      assert.equal(await second, "a");
      assert.ok(!(await eventsOf(stage)).includes("stopped"));
    },
  },
  {
    name: "JOB-4: a job stops when its asker gives up, and goes on when it is asked for again",
    async run(harness) {
      await using stage = new Stage(harness);
      const job = gated();
      const host = await stage.host(job.slow.agents);
      const only = revocable(host.troupe, job);
      await waits(stage, job);
      only.giveUp();
      await only.refused;
      await stopped(stage);
      assert.deepEqual(job.ran, ["first", "ask-cancelled", "a waited"]);
      job.open();
      assert.equal(await ask(host.troupe, job, longMs), "a");
    },
  },
  {
    name: "JOB-4: a job stops when all of its askers have given up, and not before",
    async run(harness) {
      await using stage = new Stage(harness);
      const job = gated("parallel");
      const host = await stage.host(job.slow.agents);
      const first = revocable(host.troupe, job, { text: "a b" });
      await waits(stage, job, 2);
      const second = revocable(host.troupe, job);
      await takenIn(stage, 2);
      first.giveUp();
      await first.refused;
      // The parts that were for the first one alone are sent again, for both.
      await waits(stage, job, 4);
      assert.ok(!(await eventsOf(stage)).includes("stopped"));
      second.giveUp();
      await second.refused;
      await stopped(stage);
      assert.ok(!job.ran.includes("last"));
    },
  },
  {
    name: "JOB-4: a pipeline's own time ends a job that was sent, and askers who would wait longer hear of it",
    async run(harness) {
      await using stage = new Stage(harness);
      const job = gated("stage", soonMs);
      const host = await stage.host(job.slow.agents);
      await host.troupe.send(job.slow, "job").run({ text: "a" });
      await dead(host);
      await stopped(stage);
      const error: unknown = await ask(host.troupe, job, longMs).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof AskDeadlineError, String(error));
      assert.deepEqual([error.details["job"], error.details["stage"]], ["job", "middle"]);
      assert.ok(!job.ran.includes("last"));
    },
  },
  {
    name: "JOB-4: a job that was stopped goes on to its end when its dead letters are redriven",
    async run(harness) {
      await using stage = new Stage(harness);
      const job = gated("parallel");
      const host = await stage.host(job.slow.agents);
      await rejectsWith(ask(host.troupe, job, soonMs, "a b"), "ask-deadline");
      await stopped(stage, 2);
      job.open();
      await redriveAll(await stage.log());
      await stage.until("the end", () => job.ran.includes("last"));
      assert.equal(await ask(host.troupe, job, longMs), "a+b");
    },
  },
];
