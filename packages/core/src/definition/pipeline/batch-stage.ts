/**
 * A batch stage: one call of its function for the items of many jobs. Each job keeps a turn of its
 * own.
 */
import type { AnyBatchItem, BatchContext } from "../batch-context.ts";
import { BatchFailure } from "../batch-context.ts";
import { requireOnePerItem } from "../batch-results.ts";
import type { Course, JobContext } from "./job-progress.ts";
import { complete, isAt, itemOf } from "./job-progress.ts";
import type { BatchStage, BatchStageContext, Job } from "./stage-definition.ts";

type JobItem = AnyBatchItem & JobContext;

export type BatchStageHandler = (
  context: BatchContext,
  items: readonly JobItem[],
) => Promise<readonly unknown[]>;

export function batchStageHandler(course: Course, { name, work }: BatchStage): BatchStageHandler {
  return async (context, items) => {
    const due = items.filter((item) => isAt(item, name));
    const entries = due.map((item) => itemOf(item, course, name));
    const jobs: readonly Job<unknown, unknown>[] = entries.map(({ job }) => job);
    const values = entries.map(({ item }) => item);
    const results =
      due.length === 0 ? [] : await work(contextOf(context, due, values), values, jobs as never);
    const made = requireOnePerItem(
      `The batch stage ${course.pipeline}.${name}`,
      results,
      due.length,
    );
    const replies = new Map(due.map((item, index) => [item, settled(item, made[index])]));
    return items.map((item) => replies.get(item));
  };

  function settled(item: JobItem, result: unknown): unknown {
    if (result instanceof BatchFailure) return result;
    // Another message of the same job was in the call.
    if (!isAt(item, name)) return undefined;
    try {
      return complete(item, course, name, result);
    } catch (thrown) {
      return item.fail(thrown);
    }
  }
}

function contextOf(
  context: BatchContext,
  due: readonly JobItem[],
  values: readonly unknown[],
): BatchStageContext<unknown> {
  const valueOf = new Map<AnyBatchItem, unknown>(due.map((item, index) => [item, values[index]]));
  const { signal, traceparent } = context;
  return {
    signal,
    traceparent,
    step: (name, effect) =>
      context.step(name, due, (wanted, info) =>
        effect(
          wanted.map((item) => valueOf.get(item)),
          info,
        ),
      ),
  };
}
