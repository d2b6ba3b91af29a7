/** `troupe dlq drop`: remove dead letters for good. Their originals stay on the log. */
import { parkedCode, parkedAgent } from "@troupe/core/operate";
import type { PlacedLetter } from "@troupe/core/operate";
import { agentName } from "@troupe/core/log";
import type { Troupe } from "@troupe/core";
import type { Position } from "@troupe/core/log";
import type { Command } from "commander";
import { openTroupe } from "../../connection.ts";
import { noDeadLetter, resumeCommand, whose } from "../../dead-letters/dead-letters.ts";
import { addExamples } from "../../help-text.ts";
import type { Run } from "../../run.ts";
import { actOnSelection, addSelection, requireSelection, UnfitLetterError } from "./selection.ts";
import type { LetterOutcome, SelectionOptions } from "./selection.ts";

export function addDlqDrop(dlq: Command, run: Run): void {
  const command = dlq
    .command("drop")
    .summary("remove dead letters")
    .description(
      "Remove dead letters. Nobody is told, and the originals stay on the log. The dead letter of " +
        "an agent that is parked stays until the agent is resumed.",
    );
  addSelection(command).action(
    async (positions: readonly Position[], _: unknown, self: Command) => {
      await drop(positions, self.optsWithGlobals<SelectionOptions>(), run);
    },
  );
  addExamples(command, [
    ["troupe dlq drop 42", "one of them"],
    ["troupe dlq drop --all --code invalid-key --yes", "all of a kind, without a question"],
  ]);
}

async function drop(
  positions: readonly Position[],
  options: SelectionOptions,
  run: Run,
): Promise<void> {
  requireSelection(positions, options);
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const act = (letter: PlacedLetter): Promise<LetterOutcome> => dropOne(troupe, letter);
  await actOnSelection(troupe, positions, options, run, { verb: "Drop", destroys: true, act });
}

async function dropOne({ log }: Troupe, letter: PlacedLetter): Promise<LetterOutcome> {
  const { deadLetter, position } = letter;
  const { agent, failure, inputPosition } = deadLetter;
  const isParked = failure.code === parkedCode && agent !== undefined;
  if (isParked && (await parkedAgent(log, agent, inputPosition)) !== undefined) {
    throw new UnfitLetterError(
      `Dead letter ${position} tells that ${agentName(agent)} is parked. Resume it instead: ` +
        `\`${resumeCommand(agent)}\`, with --skip to give its message up.`,
      { details: { position, agent: agentName(agent) } },
    );
  }
  if (!(await log.removeDeadLetter(position))) throw noDeadLetter(position);
  return {
    text: `Dead letter ${position} of ${whose(letter)} is dropped.`,
    data: { deadLetter: position, agent: agent && agentName(agent), dropped: true },
  };
}
