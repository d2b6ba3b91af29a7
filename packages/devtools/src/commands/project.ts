/** `troupe project`: keep a read model up to date, or build it anew, and show how far it is. */
import type { InspectionEvent, RunningProjection } from "@troupe/core";
import type { Command } from "commander";
import { openTroupe, shownServer } from "../connection.ts";
import { parseCount } from "../count-option.ts";
import { exitCode } from "../exit-code.ts";
import type { GlobalOptions } from "../global-options.ts";
import { addExamples } from "../help-text.ts";
import { moduleProjection } from "../module-projection.ts";
import { ProjectProgress } from "../project/project-progress.ts";
import type { Run } from "../run.ts";
import { toJson } from "../terminal/json.ts";

interface ProjectOptions extends GlobalOptions {
  readonly export?: string;
  readonly rebuild?: boolean;
  readonly once?: boolean;
  readonly skipPoison?: boolean;
  readonly batch: number;
  readonly json?: boolean;
}

const batchDefault = 500;
const statusIntervalMs = 100;
const jsonIntervalMs = 1000;

export function addProject(program: Command, run: Run): void {
  const command = program
    .command("project")
    .summary("keep a read model up to date, or build it anew")
    .description(
      "Run the projection that a module exports, into the sink that it exports, and show how far it " +
        "is. Any number of them may run at once: no event is applied twice.",
    )
    .argument("<module>", "a file, or a package installed here")
    .option("--export <name>", "the projection, when the module exports several")
    .option("--rebuild", "throw the read model away first, and build it from zero")
    .option("--once", "end when everything that is on the log now is in the model")
    .option("--skip-poison", "leave out events whose handler throws, and say so")
    .option(
      "--batch <count>",
      "most records in one transaction",
      parseCount(1, 100_000),
      batchDefault,
    )
    .option("--json", "the progress as JSON lines")
    .action(async (module: string, _: unknown, self: Command) => {
      await project(module, self.optsWithGlobals<ProjectOptions>(), run);
    });
  addExamples(command, [
    ["troupe project ./balances.ts", "keep it up to date until Ctrl-C"],
    ["troupe project ./balances.ts --rebuild --once", "build it from zero, and end"],
    ["troupe project ./balances.ts --json | jq .lag", "how far it is behind, every second"],
  ]);
}

async function project(module: string, options: ProjectOptions, run: Run): Promise<void> {
  const { interruption, terminal } = run;
  const { projection, sink } = await interruption.orInterrupted(
    moduleProjection(module, options.export),
  );
  await using resources = new AsyncDisposableStack();
  if (Symbol.asyncDispose in sink) resources.use(sink as AsyncDisposable & typeof sink);
  const troupe = resources.use(await openTroupe(options, run, { createStreams: false }));
  troupe.inspect((event) => noteTrouble(event, options, run));
  const starting = troupe.project(projection, sink, {
    batchSizeMax: options.batch,
    rebuild: options.rebuild === true,
    poison: options.skipPoison === true ? "skip" : "stop",
  });
  const running = await interruption.orInterrupted(starting);
  const progress = new ProjectProgress(running);
  const stopShowing = show(progress, options, run);
  try {
    await follow(running, progress, { options, run });
  } finally {
    stopShowing();
    await running.stop();
  }
  terminal.print(options.json === true ? toJson(progress) : progress.text(terminal.width));
}

interface Setting {
  readonly options: ProjectOptions;
  readonly run: Run;
}

/** Runs until the projection has caught up, and then on until it is stopped or fails. */
async function follow(
  running: RunningProjection,
  progress: ProjectProgress,
  { options, run: { interruption, terminal } }: Setting,
): Promise<void> {
  const caughtUp = running.caughtUp();
  caughtUp.catch(() => undefined);
  await Promise.race([caughtUp, interruption.requested()]);
  if (interruption.signal.aborted) return;
  if (options.once === true) return;
  if (options.json === true) terminal.print(toJson(progress));
  else terminal.note(`Caught up at position ${running.position}; Ctrl-C stops.`);
  await Promise.race([running.ended, interruption.requested()]);
}

/** Shows the progress from time to time; returns the function that ends it. */
function show(progress: ProjectProgress, options: ProjectOptions, { terminal }: Run): () => void {
  if (options.json !== true) {
    terminal.note(terminal.paintNote("dim", `Projecting from ${where(options)}.`));
  }
  const timer = setInterval(
    () => {
      if (options.json === true) terminal.print(toJson(progress));
      else terminal.status(progress.text(terminal.noteWidth - 1));
    },
    options.json === true ? jsonIntervalMs : statusIntervalMs,
  );
  return () => {
    clearInterval(timer);
    terminal.status("");
  };
}

function where(options: ProjectOptions): string {
  return `${options.namespace} at ${shownServer(options)}`;
}

/** Reports what a person or a program must hear of while the projection runs. */
function noteTrouble(event: InspectionEvent, { json }: ProjectOptions, run: Run): void {
  if (event.kind !== "projection.retrying" && event.kind !== "projection.skipped") return;
  const { terminal } = run;
  if (event.kind === "projection.skipped") run.exitCode = exitCode.failed;
  if (json === true) terminal.note(toJson(event));
  else terminal.note(terminal.paintNote("yellow", event.failure.message));
}
