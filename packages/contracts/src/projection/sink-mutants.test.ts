/** Sinks that break SINK-1: the contract suite must notice each of them. */
import { describe, expect, test } from "vitest";

import { SinkUnavailableError } from "@troupe/core/errors";
import type { ProjectionSink, ReadModel } from "@troupe/core";
import { memorySinkHarness } from "../memory/memory-sink-harness.ts";
import { twoTransactionSink } from "./faulty-sink.ts";
import { sinkChecks } from "./sink-checks.ts";

type Sink = ProjectionSink<ReadModel>;

interface SinkMutant {
  readonly does: string;
  readonly failsAt: string;
  readonly mutate: (sink: Sink) => Sink;
}

/** Fails the second time it is called. */
function failsOnce(): () => void {
  let calls = 0;
  return () => {
    calls += 1;
    if (calls === 2) throw new SinkUnavailableError("The connection broke between two writes.");
  };
}

const mutants: readonly SinkMutant[] = [
  {
    does: "moves the checkpoint in a transaction of its own, and dies between the two",
    failsAt: "the model is the fold of all events in log order, over restarts",
    mutate: (sink) => twoTransactionSink(sink, failsOnce()),
  },
  {
    does: "moves the checkpoint in a transaction of its own, beside another runner",
    failsAt: "of two runners at once none applies what the other one applied",
    mutate: (sink) => twoTransactionSink(sink, () => undefined),
  },
  {
    does: "moves the checkpoint before it writes",
    failsAt: "what fails after the write and before the commit leaves nothing behind",
    mutate: (sink) => ({
      ...sink,
      apply: async (projection, { from, to }, work) => {
        await sink.apply(projection, { from, to }, async () => undefined);
        return sink.apply(projection, { from: to, to }, work);
      },
    }),
  },
  {
    does: "keeps what failed",
    failsAt: "what fails after the write and before the commit leaves nothing behind",
    mutate: (sink) => ({
      ...sink,
      apply: async (projection, move, work) => {
        let thrown: unknown;
        const stay = { from: move.from, to: move.from };
        await sink.apply(projection, stay, (handle) =>
          work(handle).catch((error: unknown) => void (thrown = error)),
        );
        if (thrown !== undefined) throw thrown as Error;
        return sink.apply(projection, move, async () => undefined);
      },
    }),
  },
  {
    does: "does not look at the checkpoint",
    failsAt: "a transaction whose answer is lost is not applied again",
    mutate: (sink) => ({
      ...sink,
      apply: async (projection, { to }, work) =>
        sink.apply(projection, { from: await sink.open(projection), to }, work),
    }),
  },
  {
    does: "keeps the model of an older version",
    failsAt: "a raised version builds the model from zero, and refuses the code before it",
    mutate: (sink) => ({
      ...sink,
      open: async (projection) => ({
        ...(await sink.open({ ...projection, version: 1 })),
        version: projection.version,
      }),
    }),
  },
];

describe("the sink contract notices a sink that", () => {
  test.for(mutants)("$does", async ({ failsAt, mutate }) => {
    const check = sinkChecks.find(({ name }) => name === failsAt);
    expect(check, `the check "${failsAt}"`).toBeDefined();
    const harness = memorySinkHarness();
    const connect = async (): Promise<Sink> => mutate(await harness.connect());
    const outcome = await check?.run({ ...harness, connect }).then(
      () => "nothing noticed",
      () => "noticed",
    );
    expect(outcome).toBe("noticed");
  });
});
