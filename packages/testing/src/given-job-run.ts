/** Runs stages of one job on the real engine, with a log and a time of its own. */
import type { Agent } from "@troupe/core";
import { createTroupe } from "@troupe/core";
import { DefinitionError } from "@troupe/core/errors";
import type { ErrorData, Input } from "@troupe/core/log";
import { parseAgentName, encodePayload } from "@troupe/core/log";
import type { JobState, StageDefinition, Schema } from "@troupe/core/engine";
import { agentsOfJobs, validate } from "@troupe/core/engine";
import { commitEvents, historyOf } from "./given-history.ts";
import type { GivenEvent } from "./given-history.ts";
import type { JobOutcome } from "./given-job.ts";
import type { CannedAnswer } from "./given-run.ts";
import { messagesOf, proceed, settings, standIns, until } from "./given-run.ts";
import { createMemoryBroker } from "./memory/memory-broker.ts";
import { Agenda } from "./simulation/agenda.ts";
import { chanceOf } from "./simulation/chance.ts";
import { GrowingHistory } from "./simulation/history.ts";

export interface JobCase {
  readonly pipeline: string;
  readonly stages: readonly StageDefinition[];
  readonly schema: Schema | undefined;
  readonly key: string;
  readonly input: unknown;
  /** Results by stage. */
  readonly completed: Readonly<Record<string, unknown>>;
  readonly answers: readonly CannedAnswer[];
  /** The last stage that runs. */
  readonly last: string;
  /** And no other does. */
  readonly only: boolean;
}

/** @throws DefinitionError, SchemaError */
export async function runJob(which: JobCase): Promise<JobOutcome<unknown, unknown>> {
  const { answers, key, last, pipeline, schema, stages: all } = which;
  if (schema === undefined) throw new DefinitionError(`${pipeline} is no pipeline.`);
  const stages = all.slice(0, all.findIndex(({ name }) => name === last) + 1);
  const course = { pipeline, stages, timeoutMs: undefined };
  const agents = agentsOfJobs(course, schema);
  const job = agents[0] as Agent<JobState, unknown, unknown>;
  const first = nextOf(which, stages);
  const input = await validate(schema, which.input, `${pipeline}.run`);
  const events = historyOf({ definition: job, key, events: before(which, stages, input) });

  const agenda = new Agenda(() => undefined);
  const broker = createMemoryBroker({
    partitions: 1,
    clock: agenda,
    schedule: (task) => void agenda.add("task", 0, task),
  });
  const log = broker.connect("given");
  const clock = agenda.clock("given");
  const troupe = createTroupe(log, {
    name: "given",
    onFault: false,
    clock,
    random: chanceOf(1, "given").next,
  });
  const history = new GrowingHistory(broker.entries(), agents);
  const state = (): JobState => {
    history.read();
    return history.state(job, key);
  };
  await until(agenda, commitEvents(log, { type: pipeline, key }, events, 0));
  await until(agenda, troupe.work([...agents, ...standIns(answers)], settings));
  const address = { kind: "agent", name: pipeline, key } as const;
  const metadata = { id: "when", message: first, contentType: "application/msgpack" } as const;
  await until(agenda, log.accept({ address, metadata, payload: encodePayload({ runs: 1 }) }));
  let end = state();
  for (; end.status === "running"; end = state()) await proceed(agenda);
  await until(agenda, troupe.close());
  const own = new Set(agents.map(({ type }) => type));
  const sent = [...history.inputs.values()].filter((each) => isSentBy(own, each));
  return { ...ending(end, last), ...messagesOf(history, sent) };
}

/**
 * The first stage that is not completed. @throws DefinitionError when the completed ones do not
 * lead to it
 */
function nextOf(
  { completed, last, only, pipeline }: JobCase,
  stages: readonly StageDefinition[],
): string {
  const names = stages.map(({ name }) => name);
  const first = names.find((name) => !Object.hasOwn(completed, name));
  const unknown = Object.keys(completed).filter((name) => !names.includes(name));
  const rest = first === undefined ? [] : names.slice(names.indexOf(first) + 1);
  const early = rest.find((name) => Object.hasOwn(completed, name));
  const isReached = only ? first === last : first !== undefined;
  if (first !== undefined && isReached && unknown.length === 0 && early === undefined) return first;
  throw new DefinitionError(
    `The stages of ${pipeline} up to ${last} are ${names.join(", ")}: the completed ones must be the first of these${only ? `, up to ${last}` : ", and not all"}.`,
    { details: { pipeline, last, completed: Object.keys(completed) } },
  );
}

/** Events that the journal of such a job would have. */
function before(
  { completed }: JobCase,
  stages: readonly StageDefinition[],
  input: unknown,
): readonly GivenEvent[] {
  const enqueued = { input, stage: stages[0]?.name, replyTo: undefined, deadlineMs: undefined };
  return [
    { type: "enqueued", data: enqueued },
    ...stages.flatMap(({ name: stage }, index) => {
      if (!Object.hasOwn(completed, stage)) return [];
      const data = { stage, result: completed[stage], next: stages[index + 1]?.name };
      return [{ type: "completed", data }];
    }),
  ];
}

/** Sent by a stage, and neither an ask nor how a pipeline goes on. */
function isSentBy(own: ReadonlySet<string>, { address, metadata }: Input): boolean {
  const sender = parseAgentName(metadata.sender ?? "")?.type;
  if (sender === undefined || !own.has(sender) || metadata.replyTo !== undefined) return false;
  return address.kind === "topic" || !own.has(address.name);
}

function ending(
  { failure, results }: JobState,
  last: string,
): Pick<JobOutcome<unknown, unknown>, "failure" | "result" | "results"> {
  const own = failure?.details?.["failure"] as ErrorData | undefined;
  return { result: results[last], results, failure: own ?? failure };
}
