/**
 * A pipeline: a text is split, its lines are scored side by side, and the scores are the answer.
 */
import { pipeline, Reject } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { z } from "zod";

export const review = pipeline("review", z.object({ text: z.string() }))
  .stage("clean", (_, { text }) => {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    // Final: the job fails, and who asked gets this as the cause.
    if (lines.length === 0) throw new Reject("an empty text");
    return lines;
  })
  // The lines of many jobs in one call.
  .batch("count", (_, jobs) => jobs.map((lines) => ({ lines, count: lines.length })), {
    size: 32,
    waitMs: 5,
  })
  // At most four lines of one job at a time, on all workers there are.
  .parallel("score", { each: ({ lines }) => lines, limit: 4 }, (ctx, line) =>
    // Recorded: after a crash the score returns, and no model is asked twice.
    ctx.step("model", async () => line.length % 10),
  )
  .stage("answer", (_, scores, { results }) => ({
    lines: results.count.count,
    best: Math.max(...scores),
  }));

if (import.meta.main) {
  await using troupe = await connect(process.env["TROUPE_NATS_URL"] ?? "nats://127.0.0.1:4222");
  await troupe.work(review);
  const text = "Nothing is lost.\nNothing happens twice.";
  console.log(await troupe.agent(review, "job-1").run({ text }));
  // The same job: the same answer, and nothing runs again.
  console.log(await troupe.agent(review, "job-1").run({ text }));
}
