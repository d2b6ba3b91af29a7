/** Sinks in trouble: faults between a runner and its storage, and a sink that breaks SINK-1. */
import { SinkUnavailableError } from "@troupe/core/errors";
import type { ProjectionSink, ReadModel } from "@troupe/core";

type Sink = ProjectionSink<ReadModel>;

/** Fate of one transaction. */
export type SinkFault = "none" | "before-commit" | "lost-answer";

/** Each transaction meets the next fault; none when there are no more. */
export function faultySink(sink: Sink, faults: Iterator<SinkFault>): Sink {
  const fail = (): never => {
    throw new SinkUnavailableError("The sink gave no answer, because the check says so.");
  };
  return {
    ...sink,
    apply: async (projection, move, work) => {
      const next = faults.next();
      const fault = next.done === true ? "none" : next.value;
      const stored = await sink.apply(projection, move, async (handle) => {
        await work(handle);
        if (fault === "before-commit") fail();
      });
      return fault === "lost-answer" ? fail() : stored;
    },
  };
}

/** Writes in one transaction and moves the checkpoint in another one, which SINK-1 forbids. */
export function twoTransactionSink(sink: Sink, between: () => void): Sink {
  return {
    ...sink,
    apply: async (projection, { from, to }, work) => {
      const stored = await sink.apply(projection, { from, to: from }, work);
      if (stored.position !== from.position) return stored;
      between();
      return sink.apply(projection, { from, to }, async () => undefined);
    },
  };
}
