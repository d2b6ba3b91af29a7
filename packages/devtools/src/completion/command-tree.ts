/** The commands and options of the program as plain data, for the scripts that complete them. */
import type { Command, Option } from "commander";

export interface CompletedCommand {
  /** `dlq list`; empty for the program itself. */
  readonly path: string;
  /** Or what its argument may be. */
  readonly subcommands: readonly CompletedWord[];
  /** Options of its own, and those of all commands. */
  readonly options: readonly CompletedOption[];
}

export interface CompletedWord {
  readonly name: string;
  readonly description: string;
}

export interface CompletedOption {
  /** `--server`. */
  readonly long: string;
  /** `-s`. */
  readonly short: string | undefined;
  readonly description: string;
  readonly value: "none" | "file" | "text";
}

const helpOption: CompletedOption = {
  long: "--help",
  short: "-h",
  description: "show help",
  value: "none",
};

/** All commands, the program first. */
export function commandTree(program: Command): readonly CompletedCommand[] {
  const shared = [
    ...program.options.filter(({ long }) => long !== "--version").map(completedOption),
    helpOption,
  ];
  return [program, ...descendants(program)].map((command) => ({
    path: pathOf(command),
    subcommands: [
      ...command.commands.map((each) => ({
        name: each.name(),
        description: each.summary() || each.description(),
      })),
      ...command.registeredArguments.flatMap(({ argChoices = [], description }) =>
        argChoices.map((name) => ({ name, description })),
      ),
    ],
    options: [...(command === program ? [] : command.options.map(completedOption)), ...shared],
  }));
}

/** Every option whose next word is its value, and whether that is a file. */
export function valuedOptions(
  commands: readonly CompletedCommand[],
  value: CompletedOption["value"],
): readonly string[] {
  const found = commands
    .flatMap(({ options }) => options)
    .filter((option) => option.value === value);
  return [...new Set(found.flatMap(({ long, short }) => (short ? [long, short] : [long])))];
}

function descendants(command: Command): readonly Command[] {
  return command.commands.flatMap((each) => [each, ...descendants(each)]);
}

function pathOf(command: Command): string {
  if (command.parent === null) return "";
  return `${pathOf(command.parent)} ${command.name()}`.trimStart();
}

function completedOption({ description, flags, long, required, short }: Option): CompletedOption {
  const value = !required ? "none" : /<(?:file|module)/.test(flags) ? "file" : "text";
  return { long: long ?? flags, short: short ?? undefined, description, value };
}
