/**
 * Pipelines: agents from a declaration (JOB-1 to JOB-4), through failures and the death of workers.
 */
import assert from "node:assert/strict";

import { BatchFailure, Reject, pipeline } from "@troupe/core";
import { PipelineStageError } from "@troupe/core/errors";
import type { JobEvents } from "@troupe/core/engine";
import type { Pipeline } from "@troupe/core";
import { range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import type { Note } from "./ledger.ts";
import { lettersOf, noteSchema, recordsOf } from "./ledger.ts";
import { redriveAll } from "./redrive-all.ts";
import { Stage } from "./stage.ts";

type Hook = (stage: string, item: string) => unknown;

/** Words of a text, measured one by one. `hook` runs in every stage and may fail or wait. */
function measuring(hook: Hook = () => undefined, limit = 3): Measuring {
  return pipeline("measure", noteSchema)
    .stage("clean", async (_, { text }) => {
      await hook("clean", text);
      return text.trim();
    })
    .batch(
      "split",
      async (_, texts) => {
        for (const text of texts) await hook("split", text);
        return texts.map((text) => text.split(" ").filter((word) => word !== ""));
      },
      { size: 4, waitMs: 1 },
    )
    .parallel("lengths", { each: (words) => words, limit }, async (_, word) => {
      await hook("lengths", word);
      return word.length;
    })
    .stage("sum", async (_, lengths, { results }) => {
      await hook("sum", results.clean);
      return `${results.clean}: ${lengths.join("+")}`;
    });
}

type Measuring = Pipeline<Note, Note, string, unknown>;

/** Counts the runs of each stage, by stage and item. */
function counter(): { readonly runs: Map<string, number>; readonly count: Hook } {
  const runs = new Map<string, number>();
  const count = (stage: string, item: string): void => {
    const name = `${stage} ${item}`;
    runs.set(name, (runs.get(name) ?? 0) + 1);
  };
  return { runs, count };
}

const text = "one three a";
const answer = "one three a: 3+5+1";
const failed = "pipeline-stage-failed";

export const pipelineChecks: readonly LogCheck[] = [
  {
    name: "a job goes through its stages in order, answers who asked, and its journal shows each stage",
    async run(harness) {
      await using stage = new Stage(harness);
      const { count, runs } = counter();
      const measure = measuring(count, 2);
      const { troupe } = await stage.host(measure.agents);
      assert.equal(await troupe.agent(measure, "job").run({ text: ` ${text} ` }), answer);
      assert.deepEqual(new Set(runs.values()), new Set([1]));
      const records = await recordsOf(await stage.log(), "job", "measure");
      const events = records.flatMap((record) => record.events.map(({ type }) => type));
      const gathered = range(3).map(() => "gathered");
      assert.deepEqual(events, [
        "enqueued",
        "completed",
        "completed",
        "split",
        ...gathered,
        "joined",
        "completed",
      ]);
    },
  },
  {
    name: "JOB-3: a job that is enqueued again gives the same answer, before and after its end, and runs once",
    async run(harness) {
      await using stage = new Stage(harness);
      const { count, runs } = counter();
      const gate = Promise.withResolvers<void>();
      const measure = measuring(async (name, item) => {
        count(name, item);
        if (name === "sum") await gate.promise;
      });
      const { heard, troupe } = await stage.host(measure.agents);
      await troupe.send(measure, "job").run({ text });
      const waiting = range(3).map(() => troupe.agent(measure, "job").run({ text: "another" }));
      await stage.until("the last stage", () => runs.has(`sum ${text}`));
      gate.resolve();
      assert.deepEqual(await Promise.all(waiting), [answer, answer, answer]);
      assert.equal(await troupe.agent(measure, "job").run({ text: "late" }), answer);
      assert.deepEqual(new Set(runs.values()), new Set([1]));
      assert.equal(heard.of("dead-letter").length, 0);
    },
  },
  {
    name: "JOB-3: hundreds who ask for one job are told at its end, and need not look for it",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const measure = measuring((name) => (name === "lengths" ? gate.promise : undefined));
      const { heard } = await stage.host(measure.agents);
      const client = await stage.client({ tamper: () => ({ journal: async () => [] }) });
      const asks = range(300).map(() => client.agent(measure, "job").run({ text }));
      const runs = (): number =>
        heard.of("turn.committed").filter(({ record }) => record.message === "run").length;
      await stage.until("all who ask", () => runs() === 300);
      gate.resolve();
      assert.deepEqual(new Set(await Promise.all(asks)), new Set([answer]));
    },
  },
  {
    name: "JOB-2: a stage that refuses or keeps failing fails its job, and every asker hears where and why",
    async run(harness) {
      await using stage = new Stage(harness);
      const measure = measuring((name, item) => {
        if (name === "clean" && item === "bad") throw new Reject("unwanted", { item });
        if (name === "split" && item === "two bad") throw new Error("never");
        if (name === "lengths" && item === "poison") throw new Reject("poisonous");
      });
      const { troupe } = await stage.host(measure.agents, { retry: { attemptsMax: 2 } });
      const cases = [
        ["bad", "clean", undefined, "rejected"],
        ["two bad", "split", undefined, "remote-turn-failed"],
        ["one poison", "lengths", 1, "rejected"],
      ] as const;
      for (const [item, name, part, code] of cases) {
        const run = (): Promise<string> => troupe.agent(measure, item).run({ text: item });
        for (const asked of [run(), run()]) {
          const error = await asked.catch((thrown: unknown) => thrown);
          assert.ok(error instanceof PipelineStageError, `${item}: ${String(error)}`);
          const { job, part: at, pipeline: of, stage: where } = error.details;
          assert.deepEqual([of, job, where, at ?? undefined], ["measure", item, name, part]);
          assert.equal((error.cause as { readonly code?: string }).code, code);
        }
        // The failure is the answer from now on, at no further dead letter.
        await rejectsWith(run(), failed);
      }
      assert.deepEqual(await lettersOf(await stage.log()), [
        "rejected",
        "handler-failed",
        "rejected",
      ]);
    },
  },
  {
    name: "JOB-2: a failed job goes on when what failed is redriven, and repeats no stage that was completed",
    async run(harness) {
      await using stage = new Stage(harness);
      const { count, runs } = counter();
      const broken = new Set(["clean", "one", "three", "sum"]);
      const measure = measuring((name, item) => {
        if (broken.has(name) || broken.has(item)) throw new Reject("not now");
        count(name, item);
      });
      const { heard, troupe } = await stage.host(measure.agents);
      const log = await stage.log();
      await rejectsWith(troupe.agent(measure, "job").run({ text }), failed);
      // Both parts fail; the job goes on when both are redriven.
      for (const [again, letters] of [
        [["clean"], 3],
        [["one", "three"], 4],
        [["sum"], 4],
      ] as const) {
        for (const each of again) broken.delete(each);
        await redriveAll(log);
        await heard.has("dead-letter", letters);
      }
      await stage.until("the answer", async () => {
        const records = await recordsOf(log, "job", "measure");
        return records.some(({ reply }) => reply === answer);
      });
      assert.equal(await troupe.agent(measure, "job").run({ text }), answer);
      assert.deepEqual(new Set(runs.values()), new Set([1]));
    },
  },
  {
    name: "a fall-back makes the result of a stage, an item or a part that failed for good",
    async run(harness) {
      await using stage = new Stage(harness);
      const tried: string[] = [];
      const refuse = (): never => {
        throw new Reject("unwanted");
      };
      const shaky = pipeline("shaky", noteSchema)
        .stage("first", (): string => refuse(), {
          fallback: (_, item, { code }) => `${item.text} ${code}`,
        })
        .batch(
          "bulk",
          (_, items) => items.map((): string | BatchFailure => new BatchFailure(new Reject("no"))),
          {
            fallback: async (context, item) => {
              tried.push(item);
              if (context.message.attempt < 2) throw new Error("not yet");
              return `${item}!`;
            },
          },
        )
        .parallel(
          "parts",
          { each: (item) => item.split(" ") },
          (_, part) => (part === "a" ? refuse() : part),
          { fallback: (_, part, { code }) => `${part}:${code}` },
        );
      const { troupe } = await stage.host(shaky.agents);
      assert.deepEqual(await troupe.agent(shaky, "job").run({ text: "a" }), [
        "a:rejected",
        "rejected!",
      ]);
      assert.deepEqual(tried, ["a rejected", "a rejected"]);
    },
  },
  {
    name: "JOB-1: a stage or a part that is redriven after its fall-back made the result changes nothing",
    async run(harness) {
      await using stage = new Stage(harness);
      let broken = true;
      const work = (): string => {
        if (broken) throw new Reject("unwanted");
        return "late";
      };
      const open = Promise.withResolvers<string>();
      const slow = pipeline("slow", noteSchema)
        .stage("first", work, { fallback: () => "a b" })
        .batch("bulk", (_, items) => items.map(work), { fallback: (_, item) => item, waitMs: 1 })
        .parallel(
          "parts",
          { each: (item) => [item, "wait"] },
          (_, item) => (item === "wait" ? open.promise : work()),
          {
            fallback: (_, part) => part,
          },
        );
      const { heard, troupe } = await stage.host(slow.agents);
      const answered = troupe.agent(slow, "job").run({ text: "" });
      await heard.has("dead-letter", 3);
      const log = await stage.log();
      const gathered = async (): Promise<number> =>
        (await recordsOf(log, "job", "slow")).filter(({ message }) => message === "gather").length;
      await stage.until("the fall-back's part", async () => (await gathered()) === 1);
      broken = false;
      await redriveAll(log);
      await stage.until("the late part", async () => (await gathered()) === 2);
      open.resolve("waited");
      assert.deepEqual(await answered, ["a b", "waited"]);
      const records = await recordsOf(log, "job", "slow");
      const types = records.flatMap(({ events }) => events.map(({ type }) => type));
      assert.equal(types.filter((type) => type === "completed").length, 2);
      assert.equal(types.filter((type) => type === "gathered").length, 2);
    },
  },
  {
    name: "I7: of one job at most so many parts are under way, and all come back in order",
    async run(harness) {
      await using stage = new Stage(harness);
      const gates = range(20).map(() => Promise.withResolvers<void>());
      const running = new Set<number>();
      let started = 0;
      const wide = pipeline("wide", noteSchema).parallel(
        "parts",
        { each: () => range(20), limit: 3 },
        async (_, part) => {
          started += 1;
          running.add(part);
          assert.ok(running.size <= 3, "too many at once");
          await gates[part]?.promise;
          running.delete(part);
          return part * 2;
        },
        { retry: { attemptsMax: 1 } },
      );
      const { troupe } = await stage.host(wide.agents);
      const answered = troupe.agent(wide, "job").run({ text: "" });
      for (const [part, gate] of gates.entries()) {
        await stage.until("all that may", () => started === Math.min(20, part + 3));
        gate.resolve();
      }
      const results = await answered;
      assert.deepEqual(
        results,
        range(20).map((part) => part * 2),
      );
    },
  },
  {
    name: "an item without parts is complete at once",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(measuring().agents);
      assert.equal(await troupe.agent(measuring(), "job").run({ text: "" }), ": ");
    },
  },
  {
    name: "a batch stage gets the items of many jobs in one call, and records one effect for each",
    async run(harness) {
      await using stage = new Stage(harness);
      const sizes: number[] = [];
      const bulk = pipeline("bulk", noteSchema).batch(
        "embed",
        (context, items, jobs) => {
          sizes.push(items.length);
          assert.deepEqual(
            jobs.map(({ input }) => input),
            items,
          );
          return context.step("model", (wanted, { idempotencyKeys }) => {
            assert.equal(new Set(idempotencyKeys).size, wanted.length);
            return wanted.map((item) => item.text.length);
          });
        },
        { size: 5, waitMs: 3_600_000 },
      );
      const { troupe } = await stage.host(bulk.agents);
      const answers = await Promise.all(
        range(5).map((i) => troupe.agent(bulk, `job-${i}`).run({ text: "x".repeat(i) })),
      );
      assert.deepEqual(answers, range(5));
      assert.deepEqual(sizes, [5]);
    },
  },
  {
    name: "I6: workers die in every stage: no completed stage runs again, and the answer comes",
    async run(harness) {
      await using stage = new Stage(harness);
      const { count, runs } = counter();
      const deaths = ["clean", "split", "lengths", "sum"];
      let crash: () => void = () => undefined;
      const measure = measuring((name, item) => {
        if (deaths[0] === name) {
          deaths.shift();
          crash();
          return Promise.withResolvers<void>().promise;
        }
        return count(name, item);
      });
      const client = await stage.client();
      await client
        .send(measure, "job")
        .run({ text })
        .catch(() => undefined);
      let asked: Promise<string> | undefined;
      for (const expected of [3, 2, 1, 0]) {
        const host = await stage.host(measure.agents);
        crash = host.crash;
        asked ??= client.agent(measure, "job").run({ text });
        await stage.until(`the death of a worker`, () => deaths.length === expected);
      }
      await stage.host(measure.agents);
      assert.equal(await asked, answer);
      const records = await recordsOf(await stage.log(), "job", "measure");
      const completed = records.flatMap(({ events }) =>
        events.flatMap(({ data, type }) => {
          const { part, stage: name } = data as Partial<JobEvents["gathered"]>;
          return ["completed", "gathered", "joined"].includes(type) ? [`${name} ${part}`] : [];
        }),
      );
      assert.equal(new Set(completed).size, completed.length);
      assert.equal(completed.length, 7);
      for (const name of ["clean", "split", "sum"]) assert.equal(runs.get(`${name} ${text}`), 1);
    },
  },
];
