/**
 * Help texts beside the options, fitted to the width like everything that commander
 * writes.
 */
import type { AddHelpTextContext, Command } from "commander";
import { wrapText } from "./terminal/wrap-text.ts";

const widthDefault = 80;

/** Each example is a command line and what it does. */
export function addExamples(
  command: Command,
  examples: readonly (readonly [commandLine: string, what: string])[],
): void {
  const lines = examples.map(([line, what]) => `  # ${what}\n  $ ${line}`);
  addOutro(command, connectionHint, `Examples:\n${lines.join("\n")}`);
}

/**
 * Text at the end, after an empty line; the first part is wrapped, the second one stays as it is.
 */
export function addOutro(command: Command, text: string, fixed: string): void {
  command.addHelpText("after", ({ error }: AddHelpTextContext) => {
    const columns = error ? process.stderr.columns : process.stdout.columns;
    return `\n${wrapText(text, columns > 0 ? columns : widthDefault)}\n\n${fixed}`;
  });
}

const connectionHint =
  "Every command also takes -s (--server), -n (--namespace), --context and the options for credentials and TLS: see " +
  "`troupe --help`.";
