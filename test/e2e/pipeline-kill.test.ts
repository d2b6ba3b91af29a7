/** Worker processes are killed in every stage of a pipeline, and every job comes to its answer. */
import type { Troupe } from "@troupe/core";
import type { JobEvents } from "@troupe/core/engine";
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { afterAll, beforeAll, expect, test } from "vitest";

import { measurePipeline } from "./pipeline/measure.ts";
import { startMeasureWorker } from "./pipeline/measure-worker-settings.ts";

const measure = measurePipeline();
const jobs = Array.from({ length: 40 }, (_, i) => `job-${i}`);
const namespace = "pipeline";
let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server?.stop());

test("jobs survive the death of workers in every stage, and complete each stage once", async () => {
  await using troupe = await connect(server.url, { namespace });
  let asked: Promise<string[]> | undefined;
  for (const stuckAt of ["check", "split", "lengths", "sum"] as const) {
    await using worker = await startMeasureWorker({
      id: `dies-in-${stuckAt}`,
      url: server.url,
      namespace,
      stuckAt,
    });
    asked ??= Promise.all(jobs.map((job) => run(troupe, job)));
    await worker.said("stuck");
    await worker.kill();
  }
  await using _ = await startMeasureWorker({ id: "survivor", url: server.url, namespace });
  const answers = await asked;
  expect(answers).toEqual(jobs.map((job) => `4+3+${job.length}`));
  for (const job of jobs) expect([job, ...(await completions(troupe, job))]).toEqual([job, ...all]);
  expect(await Promise.all(jobs.map((job) => run(troupe, job)))).toEqual(answers);
}, 90_000);

function run(troupe: Troupe, job: string): Promise<string> {
  return troupe.agent(measure, job, { timeoutMs: 60_000 }).run({ text: `this job ${job}` });
}

const all = ["check", "lengths", "lengths 0", "lengths 1", "lengths 2", "split", "sum"] as const;

/** The stages and parts that a job's journal says are completed. */
async function completions(troupe: Troupe, job: string): Promise<readonly string[]> {
  const completed: string[] = [];
  for await (const { record } of troupe.turns("measure", job)) {
    for (const { data, type } of record.events) {
      const { part, stage } = data as Partial<JobEvents["gathered"]>;
      if (["completed", "gathered", "joined"].includes(type)) {
        completed.push(
          [stage, part].filter((each) => each !== undefined && each !== null).join(" "),
        );
      }
    }
  }
  return completed.toSorted();
}
