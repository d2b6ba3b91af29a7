/** The end of a command's help: examples. */
import type { Command } from "commander";

/** Each example is a command line and what it does. */
export function addExamples(
  command: Command,
  examples: readonly (readonly [string, string])[],
): void {
  const lines = examples.map(([line, what]) => `  # ${what}\n  $ ${line}`);
  command.addHelpText("after", `\n${connectionHint}\n\nExamples:\n${lines.join("\n")}`);
}

const connectionHint = `Every command also takes --server, --namespace and the options for credentials and
TLS: see \`troupe --help\`.`;
