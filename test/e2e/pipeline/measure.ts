/** Texts that go through every kind of stage; the answer is the lengths of their words. */
import { pipeline, type Pipeline } from "@troupe/core";
import { z } from "zod";

export type MeasureStage = "check" | "split" | "lengths" | "sum";
type Text = { readonly text: string };

/** `reached` is called in every run of a stage, and may hold it. */
export function measurePipeline(
  reached: (stage: MeasureStage) => Promise<void> = async () => undefined,
): Pipeline<Text, Text, string, unknown> {
  return pipeline("measure", z.object({ text: z.string() }))
    .stage("check", async (_, { text }) => {
      await reached("check");
      return text;
    })
    .batch(
      "split",
      async (_, texts) => {
        await reached("split");
        return texts.map((text) => text.split(" "));
      },
      { size: 8, waitMs: 2 },
    )
    .parallel("lengths", { each: (words) => words, limit: 2 }, async (_, word) => {
      await reached("lengths");
      return word.length;
    })
    .stage("sum", async (_, lengths) => {
      await reached("sum");
      return lengths.join("+");
    });
}
