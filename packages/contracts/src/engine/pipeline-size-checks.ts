/**
 * Pipelines at the limits of messages and events: nothing that does not fit makes a job wait
 * (JOB-2).
 */
import assert from "node:assert/strict";

import { Reject, pipeline } from "@troupe/core";
import { PipelineStageError } from "@troupe/core/errors";
import type { Pipeline } from "@troupe/core";
import type { LogCheck } from "../log-harness.ts";
import type { Note } from "./ledger.ts";
import { noteSchema } from "./ledger.ts";
import { redriveAll } from "./redrive-all.ts";
import { Stage } from "./stage.ts";

type Sized = Pipeline<Note, Note, readonly unknown[], unknown>;

/** A pipeline of one part, and the part's result. */
function onePart(part: string, work: (part: string) => unknown, fallback?: () => unknown): Sized {
  const options = fallback === undefined ? {} : { fallback };
  return pipeline("sized", noteSchema).parallel(
    "parts",
    { each: () => [part] },
    (_, item) => work(item),
    options,
  );
}

/** End of the job: its stage, and the code of the reason. */
async function failureOf(answer: Promise<unknown>): Promise<readonly unknown[]> {
  const error: unknown = await answer.catch((thrown: unknown) => thrown);
  assert.ok(error instanceof PipelineStageError, String(error));
  const { details } = error;
  return [details.stage, details.part ?? undefined, (error.cause as { code?: string }).code];
}

const refuse = (): never => {
  throw new Reject("unwanted", { why: "x".repeat(8000) });
};

export const pipelineSizeChecks: readonly LogCheck[] = [
  {
    name: "JOB-2: a part that has just room in a message comes to its fall-back, however much its failure says",
    async run(harness) {
      await using stage = new Stage(harness);
      const { payloadBytesMax } = (await stage.log()).limits;
      // The data around the part needs less than the difference, the failure more.
      for (const bytes of [payloadBytesMax, 20_000]) {
        const part = "x".repeat(bytes - 1000);
        const sized = onePart(part, refuse, () => "saved");
        const limits = { eventBytesMax: payloadBytesMax, messageBytesMax: bytes };
        const { troupe, worker } = await stage.host(sized.agents, limits);
        const answer = await troupe.agent(sized, `job-${bytes}`).run({ text: "" });
        assert.deepEqual(answer, ["saved"]);
        await worker.stop();
      }
    },
  },
  {
    name: "JOB-2: a result that the job cannot read fails it by name; with more room, it goes on when that is redriven",
    async run(harness) {
      await using stage = new Stage(harness);
      const large = "x".repeat(10_000);
      const sized = onePart("part", () => large);
      const first = await stage.host(sized.agents, { messageBytesMax: 5000 });
      const run = first.troupe.agent(sized, "a/job").run({ text: "" });
      assert.deepEqual(await failureOf(run), ["parts", 0, "payload-too-large"]);
      await first.worker.stop();
      const { heard, troupe } = await stage.host(sized.agents);
      await redriveAll(await stage.log());
      await heard.has("turn.committed");
      assert.deepEqual(await troupe.agent(sized, "a/job").run({ text: "" }), [large]);
    },
  },
  {
    name: "JOB-2: a part that its agent cannot read fails the job by name",
    async run(harness) {
      await using stage = new Stage(harness);
      const sized = onePart("x".repeat(10_000), (part) => part.length);
      const { troupe } = await stage.host(sized.agents, { messageBytesMax: 5000 });
      const run = troupe.agent(sized, "a/job").run({ text: "" });
      assert.deepEqual(await failureOf(run), ["parts", 0, "payload-too-large"]);
    },
  },
  {
    name: "JOB-2: a failure that says more than an event may hold fails the job, or comes to its fall-back",
    async run(harness) {
      await using stage = new Stage(harness);
      const sized = onePart("part", refuse);
      const single = pipeline("single", noteSchema).stage("first", refuse);
      const saved = pipeline("saved", noteSchema)
        .stage("first", (): string => refuse(), { fallback: (_, __, { code }) => code })
        .parallel("parts", { each: (item) => [item] }, (): string => refuse(), {
          fallback: (_, part, { code }) => `${part} ${code}`,
        });
      const agents = [sized, single, saved].flatMap((each) => each.agents);
      const { troupe } = await stage.host(agents, { eventBytesMax: 2000 });
      const parts = troupe.agent(sized, "job").run({ text: "" });
      assert.deepEqual(await failureOf(parts), ["parts", 0, "rejected"]);
      const first = troupe.agent(single, "job").run({ text: "" });
      assert.deepEqual(await failureOf(first), ["first", undefined, "rejected"]);
      const answer = await troupe.agent(saved, "job").run({ text: "" });
      assert.deepEqual(answer, ["rejected rejected"]);
    },
  },
];
