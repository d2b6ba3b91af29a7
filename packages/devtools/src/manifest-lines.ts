/** An agent type as lines to read: its name, then what it handles and emits. */
import { printable } from "@troupe/core/operate";
import type { Manifest } from "@troupe/core/log";
import type { Terminal } from "./terminal/terminal.ts";
import { wrapList } from "./terminal/wrap-list.ts";

/** `note` stands beside the name. */
export function manifestLines(
  manifest: Manifest,
  note: string,
  terminal: Terminal,
): readonly string[] {
  const layout = { indent: 2, labelWidth: 10, width: terminal.width };
  const list = (label: string, names: readonly string[]): readonly string[] =>
    names.length === 0 ? [] : wrapList(label, names.map(printable), layout);
  return [
    `${terminal.paint("bold", printable(manifest.type))}  ${terminal.paint("dim", printable(note))}`,
    ...list("messages", manifest.messages),
    ...list("topics", manifest.topics),
    ...list("events", manifest.events),
  ];
}
