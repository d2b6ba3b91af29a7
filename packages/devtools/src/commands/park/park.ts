/** `troupe park`: agents that are held back because one of their messages keeps failing. */
import type { Command } from "commander";
import { addExamples } from "../../help-text.ts";
import type { Run } from "../../run.ts";
import { addParkList } from "./list.ts";
import { addParkResume } from "./resume.ts";

export function addPark(program: Command, run: Run): void {
  const park = program
    .command("park")
    .summary("parked agents: list, resume")
    .description(
      "Parked agents: a message of theirs kept failing, and its policy is to park. Their later " +
        "messages wait on the log, in order, until they are resumed.",
    );
  addParkList(park, run);
  addParkResume(park, run);
  addExamples(park, [
    ["troupe park list", "who is parked, since when, and why"],
    ["troupe park resume account/alice", "after the reason is gone"],
  ]);
}
