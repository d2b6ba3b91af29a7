/**
 * `troupe dlq redrive`: send the original again to the agent that could not handle it, and remove
 * the dead letter. Safe to repeat: the log recognises what was sent before.
 */
import { parkedCode, redrive as redriveLetter } from "@troupe/core/operate";
import type { PlacedLetter } from "@troupe/core/operate";
import { agentName } from "@troupe/core/log";
import type { Troupe } from "@troupe/core";
import type { Position } from "@troupe/core/log";
import type { Command } from "commander";
import { openTroupe } from "../../connection.ts";
import { noDeadLetter, resumeCommand } from "../../dead-letters/dead-letters.ts";
import { CommandError } from "../../failure.ts";
import { addExamples } from "../../help-text.ts";
import type { Run } from "../../run.ts";
import { actOnSelection, addSelection, requireSelection, UnfitLetterError } from "./selection.ts";
import type { LetterOutcome, SelectionOptions } from "./selection.ts";

export function addDlqRedrive(dlq: Command, run: Run): void {
  const command = dlq
    .command("redrive")
    .summary("send messages again, to those who could not handle them")
    .description(
      "Send the untouched original again to exactly the agent that could not handle it, and remove " +
        "the dead letter. A publication reaches only this agent, not all who subscribe. --all leaves " +
        "asks where they are: their askers were told that they failed.",
    );
  addSelection(command).action(
    async (positions: readonly Position[], _: unknown, self: Command) => {
      await redrive(positions, self.optsWithGlobals<SelectionOptions>(), run);
    },
  );
  addExamples(command, [
    ["troupe dlq redrive 42 57", "two of them"],
    ["troupe dlq redrive --all --type account --code schema", "all after a repaired schema"],
  ]);
}

async function redrive(
  positions: readonly Position[],
  options: SelectionOptions,
  run: Run,
): Promise<void> {
  requireSelection(positions, options);
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const isAll = options.all === true;
  const act = (letter: PlacedLetter): Promise<LetterOutcome> => redriveOne(troupe, letter, isAll);
  await actOnSelection(troupe, positions, options, run, { verb: "Redrive", destroys: false, act });
}

async function redriveOne(
  { log }: Troupe,
  { deadLetter, position }: PlacedLetter,
  isAll: boolean,
): Promise<LetterOutcome> {
  const { agent, failure, inputPosition, origin } = deadLetter;
  if (agent === undefined) {
    throw new UnfitLetterError(
      `Dead letter ${position} has no agent that could get it again: ${origin} is no address. ` +
        `Publish it to a right one, then \`troupe dlq drop ${position}\`.`,
      { details: { position } },
    );
  }
  if (failure.code === parkedCode) throw parked(position, agent);
  const original = await log.input(inputPosition, { firm: true });
  if (original === undefined) {
    throw new CommandError(
      `The original of dead letter ${position} is not at position ${inputPosition} any more.`,
      { details: { position, inputPosition } },
    );
  }
  // Its asker was told that it failed, and has done something else by now.
  if (isAll && original.metadata.replyTo !== undefined) throw asked(position, agent);
  const sent = await redriveLetter(log, { position, agent, original });
  if (sent === undefined) throw noDeadLetter(position);
  const name = agentName(agent);
  const what = sent.duplicate ? "was sent before" : "is sent again";
  return {
    text: `Dead letter ${position} ${what} to ${name}, at position ${sent.position}.`,
    data: { deadLetter: position, agent: name, ...sent },
  };
}

function parked(position: Position, agent: Parameters<typeof agentName>[0]): UnfitLetterError {
  return new UnfitLetterError(
    `Dead letter ${position} says that ${agentName(agent)} was parked. Its message waits in order ` +
      `with those behind it: \`${resumeCommand(agent)}\`.`,
    { details: { position, agent: agentName(agent) } },
  );
}

function asked(position: Position, agent: Parameters<typeof agentName>[0]): UnfitLetterError {
  return new UnfitLetterError(
    `Dead letter ${position} of ${agentName(agent)} was an ask, and its asker was told that it ` +
      `failed. \`troupe dlq redrive ${position}\` sends it all the same.`,
    { details: { position, agent: agentName(agent) } },
  );
}
