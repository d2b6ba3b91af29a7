/**
 * `troupe park resume`: let a parked agent handle its message again and everything behind it, and
 * wait for how that ends. The dead letters that told of the parking are removed when it is over.
 */
import {
  deadLetters,
  parkedCode,
  parkedAgent,
  resumptionOutcome,
  resumeDraft,
} from "@troupe/core/operate";
import type { PlacedLetter } from "@troupe/core/operate";
import { agentName } from "@troupe/core/log";
import type { Troupe } from "@troupe/core";
import type { AgentId, Position } from "@troupe/core/log";
import type { Command } from "commander";
import { parseAgentArgument } from "../../agent-argument.ts";
import { openTroupe } from "../../connection.ts";
import { resumeCommand } from "../../dead-letters/dead-letters.ts";
import { durationOption } from "../../duration.ts";
import { CommandError, InterruptedError } from "../../failure.ts";
import { addExamples } from "../../help-text.ts";
import type { GlobalOptions } from "../../global-options.ts";
import type { Run } from "../../run.ts";
import { toJson } from "../../terminal/json.ts";
import { counted, duration } from "../../terminal/quantities.ts";
import { failureSummary } from "../../turn-summary.ts";
import { livingWorkers } from "../../worker-census.ts";

interface ResumeOptions extends GlobalOptions {
  readonly skip?: boolean;
  /** Milliseconds. */
  readonly timeout: number;
  readonly json?: boolean;
}

export function addParkResume(park: Command, run: Run): void {
  const command = park
    .command("resume")
    .summary("handle what waits for a parked agent")
    .description(
      "Resume a parked agent: the message that failed is handled again, then what waits behind it, " +
        "in order. Fails when the agent is parked again.",
    )
    .argument("<agent>", "type/key", parseAgentArgument)
    .option("--skip", "give the message that failed up: it becomes a dead letter")
    .addOption(durationOption("--timeout", "longest wait for the end", "30s"))
    .option("--json", "one JSON object")
    .action(async (agent: AgentId, _: unknown, self: Command) => {
      await resume(agent, self.optsWithGlobals<ResumeOptions>(), run);
    });
  addExamples(command, [
    ["troupe park resume account/alice", "try the message again, then go on"],
    ["troupe park resume account/alice --skip", "go on without it"],
  ]);
}

async function resume(agent: AgentId, options: ResumeOptions, run: Run): Promise<void> {
  const { interruption, terminal } = run;
  const name = agentName(agent);
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const letters = await lettersOf(troupe, agent, interruption.signal);
  const after = letters.at(-1)?.deadLetter.inputPosition ?? 0;
  const parked = await interruption.orInterrupted(parkedAgent(troupe.log, agent, after));
  if (parked === undefined) {
    throw new CommandError(`${name} is not parked: \`troupe park list\` shows who is.`, {
      details: { agent: name },
    });
  }
  const { skip = false } = options;
  const sent = interruption.orInterrupted(troupe.log.accept(resumeDraft(agent, { skip })));
  const { position: marker } = await sent;
  const signal = AbortSignal.any([interruption.signal, AbortSignal.timeout(options.timeout)]);
  const outcome = await resumptionOutcome(troupe, { parked, marker }, signal);
  if (interruption.signal.aborted) throw new InterruptedError();
  if (outcome === undefined) throw await timedOut(troupe, agent, options, run);
  const { failure, inputPosition, isResumed, revision, turns } = outcome;
  if (!isResumed) {
    const why = failure === undefined ? "" : ` ${failureSummary(failure)}`;
    throw new CommandError(
      `${name} is parked again at position ${inputPosition}.${why} ` +
        `When that is repaired: \`${resumeCommand(agent)}\`, or with --skip.`,
      { details: { agent: name, inputPosition, failure } },
    );
  }
  await removeTold(troupe, agent, revision, run);
  const text = `${name} is resumed: ${counted(turns, "message")} handled.`;
  terminal.print(options.json === true ? toJson({ agent: name, resumed: true, turns }) : text);
}

/** The dead letters that tell of its parking, oldest first. */
async function lettersOf(
  troupe: Troupe,
  { key, type }: AgentId,
  signal: AbortSignal,
): Promise<readonly PlacedLetter[]> {
  const letters: PlacedLetter[] = [];
  const filter = { types: [type], codes: [parkedCode], signal };
  for await (const letter of deadLetters(troupe, filter)) {
    if (letter.deadLetter.agent?.key === key) letters.push(letter);
  }
  return letters;
}

async function removeTold(
  troupe: Troupe,
  agent: AgentId,
  resumedAt: Position,
  { interruption }: Run,
): Promise<void> {
  for (const { position } of await lettersOf(troupe, agent, interruption.signal)) {
    if (position < resumedAt) await troupe.log.removeDeadLetter(position);
  }
}

async function timedOut(
  { log }: Troupe,
  agent: AgentId,
  { timeout }: ResumeOptions,
  { interruption }: Run,
): Promise<CommandError> {
  const workers = await livingWorkers(log, interruption.signal);
  const isHosted = workers.some(({ holds }) => (holds[agent.type]?.length ?? 0) > 0);
  const hint = isHosted
    ? `Its worker is still at it: \`troupe tail --type ${agent.type}\` shows how it goes on.`
    : `No worker hosts the type ${agent.type}: start one with \`troupe work\`, it goes on then.`;
  return new CommandError(
    `${agentName(agent)} was not resumed within ${duration(timeout)}. ${hint}`,
    { details: { agent: agentName(agent), timeoutMs: timeout, isHosted } },
  );
}
