/** The sink contract's harness for the memory sink. */
import { memoryModel, memorySink, projection } from "@troupe/core";
import type { ProjectionSink, ReadModel } from "@troupe/core";
import type { SinkHarness, SinkRow } from "../projection/sink-harness.ts";

export function memorySinkHarness(): SinkHarness {
  const sink = memorySink();
  // The checks run it only with the model below.
  const forChecks = sink as ProjectionSink<never> as ProjectionSink<ReadModel>;
  const model = memoryModel((): SinkRow[] => []);
  return {
    model,
    connect: async () => forChecks,
    append: async (rows, row) => void (rows as SinkRow[]).push(row),
    rows: async (name) => sink.read(projection(name, model)),
    stop: async () => undefined,
  };
}
