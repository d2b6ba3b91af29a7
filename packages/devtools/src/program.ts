/** The program: its commands, how its help looks, and how it ends. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import type { Argument } from "commander";
import { addAgents } from "./commands/agents.ts";
import { addArchive } from "./commands/archive/archive.ts";
import { addAsk } from "./commands/ask.ts";
import { addCompletion } from "./commands/completion.ts";
import { addDev } from "./commands/dev.ts";
import { addDlq } from "./commands/dlq/dlq.ts";
import { addErase } from "./commands/erase.ts";
import { addInspect } from "./commands/inspect.ts";
import { addMove } from "./commands/move.ts";
import { addPark } from "./commands/park/park.ts";
import { addProject } from "./commands/project.ts";
import { addPublish } from "./commands/publish.ts";
import { addSend } from "./commands/send.ts";
import { addStorage } from "./commands/storage.ts";
import { addTail } from "./commands/tail.ts";
import { addWork } from "./commands/work.ts";
import { exitCode } from "./exit-code.ts";
import { exitCodeOf, InterruptedError, messageText, reportFailure, UsageError } from "./failure.ts";
import { addGlobalOptions } from "./global-options.ts";
import { addOutro } from "./help-text.ts";
import { Interruption } from "./interruption.ts";
import type { Run } from "./run.ts";
import { applyContext } from "./nats-context.ts";
import { hideSecrets } from "./secrets.ts";
import { Terminal } from "./terminal/terminal.ts";

/** Run the command line and end the process with its exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const interruption = new Interruption();
  const terminal = new Terminal(() => interruption.outputClosed());
  const run: Run = { terminal, interruption, exitCode: exitCode.done };
  hideSecrets(argv);
  // What a handler or an imported module leaves uncaught would be shown as it is.
  process.on("uncaughtException", (error) => {
    reportFailure(terminal, error, { json: argv.includes("--json") });
    process.exit(exitCode.failed);
  });
  const code = await execute(argv, run);
  await terminal.flush();
  // An imported module may have left timers or sockets behind; nothing of ours is.
  process.exit(code);
}

async function execute(argv: readonly string[], run: Run): Promise<number> {
  try {
    await createProgram(run, argv.includes("--json")).parseAsync([...argv]);
    await run.terminal.flush();
    run.terminal.requireOutput();
    return run.exitCode;
  } catch (error) {
    if (run.interruption.cause === "closed-output") return exitCode.done;
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCode.done;
      // In words it was said already.
      const isJson = argv.includes("--json");
      if (isJson) reportFailure(run.terminal, new UsageError(error.message), { json: true });
      return exitCode.usage;
    }
    const isInterrupted = run.interruption.signal.aborted && error instanceof InterruptedError;
    if (!isInterrupted) {
      reportFailure(run.terminal, error, { json: argv.includes("--json") });
    }
    return exitCodeOf(error);
  }
}

function createProgram(run: Run, isJson: boolean): Command {
  const { terminal } = run;
  const program = addGlobalOptions(new Command("troupe"))
    .description("Event-sourced agents on NATS JetStream: run them, talk to them, look inside.")
    .version(version(), "-V, --version", "show the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.printLines(withoutLastEnd(text)),
      writeErr: (text) => {
        if (!isJson) terminal.noteLines(withoutLastEnd(text));
      },
      outputError: (text, write) => write(messageText(withoutLastEnd(text))),
    })
    .showHelpAfterError("Add --help for the options and examples.")
    .configureHelp({
      subcommandTerm: (command) =>
        [command.name(), ...command.registeredArguments.map(argumentTerm)].join(" "),
      styleTitle: (text) => terminal.paint("bold", text),
    });
  program.hook("preAction", () => applyContext(program));
  addOutro(program, exitCodesHint, firstSteps);
  for (const add of [
    addDev,
    addWork,
    addPublish,
    addSend,
    addAsk,
    addTail,
    addInspect,
    addProject,
    addAgents,
    addStorage,
    addDlq,
    addPark,
    addArchive,
    addMove,
    addErase,
    addCompletion,
  ]) {
    add(program, run);
  }
  return program;
}

const exitCodesHint =
  "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no server answers, 130 interrupted.";

const firstSteps = `Start here:
  troupe dev                     a local broker, kept until Ctrl-C
  troupe work ./agents.ts        host the agents a module exports
  troupe help <command>          every command has examples`;

function argumentTerm(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? "..." : "");
  return argument.required ? `<${name}>` : `[${name}]`;
}

function withoutLastEnd(text: string): string {
  return text.replace(/\n$/, "");
}

function version(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { readonly version: string }).version;
}
