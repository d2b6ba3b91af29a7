/**
 * The dead letters that a command is for: those at the positions that are given, or all that match.
 *
 * Each is handled for itself. What cannot be done for one is said, and the others go on; with
 * `--all` a dead letter that the command is not for is left where it is, which is no failure.
 */
import { deadLetters } from "@troupe/core/operate";
import type { LetterFilter, PlacedLetter } from "@troupe/core/operate";
import type { Troupe } from "@troupe/core";
import type { Position } from "@troupe/core/log";
import type { Command } from "commander";
import { isConfirmed } from "../../confirmation.ts";
import { deadLetterAt } from "../../dead-letters/dead-letters.ts";
import { exitCode } from "../../exit-code.ts";
import { CommandError, InterruptedError, reportFailure, UsageError } from "../../failure.ts";
import type { GlobalOptions } from "../../global-options.ts";
import { collectTypes } from "../../name-options.ts";
import type { Run } from "../../run.ts";
import { parsePosition } from "../../position-argument.ts";
import { toJson } from "../../terminal/json.ts";
import { counted } from "../../terminal/quantities.ts";

export interface FilterOptions extends GlobalOptions {
  readonly type?: readonly string[];
  readonly code?: readonly string[];
  readonly json?: boolean;
}

export interface SelectionOptions extends FilterOptions {
  readonly all?: boolean;
  readonly yes?: boolean;
}

/** The command is not for this dead letter; the message says what is. */
export class UnfitLetterError extends CommandError {}

/** Action of a command on one dead letter. */
export interface LetterAction {
  /** For the question before many: `Redrive`. */
  readonly verb: string;
  /** Set when the action on a dead letter cannot be undone. */
  readonly destroys: boolean;
  /** Does it, and says what was done. @throws CommandError */
  act(letter: PlacedLetter): Promise<LetterOutcome>;
}

export interface LetterOutcome {
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The options that choose among dead letters. */
export function addFilterOptions(command: Command): Command {
  return command
    .option("--type <name...>", "only dead letters of these agent types", collectTypes)
    .option("--code <code...>", "only dead letters with these failures");
}

export function addSelection(command: Command): Command {
  command.argument("[position...]", "where the dead letters are on the log", collectPositions);
  command.option("--all", "all dead letters that match");
  return addFilterOptions(command)
    .option("--yes", "do not ask before --all")
    .option("--json", "one JSON object per dead letter");
}

export function filterOf({ code, type }: FilterOptions): LetterFilter {
  return { types: type, codes: code };
}

/** @throws UsageError, or what is no CommandError */
export async function actOnSelection(
  troupe: Troupe,
  positions: readonly Position[],
  options: SelectionOptions,
  run: Run,
  action: LetterAction,
): Promise<void> {
  const chosen =
    options.all === true ? await allPositions(troupe, options, run, action) : positions;
  for (const position of chosen) {
    try {
      const letter = await deadLetterAt(troupe, position, run.interruption.signal);
      const { data, text } = await run.interruption.orInterrupted(action.act(letter));
      run.terminal.print(options.json === true ? toJson(data) : text);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      const isLeft = options.all === true && error instanceof UnfitLetterError;
      if (isLeft && options.json !== true) run.terminal.note(`Left: ${error.message}`);
      else reportFailure(run.terminal, error, { json: options.json });
      if (!isLeft) run.exitCode = exitCode.failed;
    }
  }
}

/** @throws UsageError unless the command line says which dead letters are meant, in one way */
export function requireSelection(positions: readonly Position[], options: SelectionOptions): void {
  const { all, code, type } = options;
  if (all === true && positions.length > 0) {
    throw new UsageError("Give positions or --all, not both.");
  }
  if (all !== true && positions.length === 0) {
    throw new UsageError("Which ones? Give positions, as `troupe dlq list` shows them, or --all.");
  }
  if (all !== true && (code !== undefined || type !== undefined)) {
    throw new UsageError("--type and --code choose among all dead letters: give --all with them.");
  }
}

/** All that match now and, on a terminal, are agreed to. */
async function allPositions(
  troupe: Troupe,
  options: SelectionOptions,
  run: Run,
  { destroys, verb }: LetterAction,
): Promise<readonly Position[]> {
  const { signal } = run.interruption;
  const positions: Position[] = [];
  for await (const { position } of deadLetters(troupe, { ...filterOf(options), signal })) {
    positions.push(position);
  }
  if (signal.aborted) throw new InterruptedError();
  if (positions.length === 0) {
    if (options.json !== true) run.terminal.note("No dead letter matches.");
    return [];
  }
  const text = `${verb} ${counted(positions.length, "dead letter")}?`;
  if (options.yes === true || (await isConfirmed({ text, destroys }, run))) return positions;
  run.terminal.note("Nothing was done.");
  run.exitCode = exitCode.failed;
  return [];
}

function collectPositions(text: string, before: readonly Position[] | undefined): Position[] {
  return [...(before ?? []), parsePosition(text)];
}
