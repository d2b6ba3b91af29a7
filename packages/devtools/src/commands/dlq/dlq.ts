/** `troupe dlq`: what could not be handled, and what to do about it. */
import type { Command } from "commander";
import { addExamples } from "../../help-text.ts";
import type { Run } from "../../run.ts";
import { addDlqDrop } from "./drop.ts";
import { addDlqList } from "./list.ts";
import { addDlqRedrive } from "./redrive.ts";
import { addDlqShow } from "./show.ts";

export function addDlq(program: Command, run: Run): void {
  const dlq = program
    .command("dlq")
    .summary("dead letters: list, show, redrive, drop")
    .description(
      "Dead letters: messages that could not be handled, kept with the reason and the untouched " +
        "payload until they are sent again or dropped.",
    );
  addDlqList(dlq, run);
  addDlqShow(dlq, run);
  addDlqRedrive(dlq, run);
  addDlqDrop(dlq, run);
  addExamples(dlq, [
    ["troupe dlq list", "what could not be handled, newest last"],
    ["troupe dlq show 42", "everything about one of them"],
    ["troupe dlq redrive 42", "send it again, after the reason is gone"],
  ]);
}
