/**
 * `troupe agents forget`: take messages and topics away from what the system knows of a type, so
 * that nothing waits for code that handles them any more.
 */
import type { Manifest } from "@troupe/core/log";
import type { Command } from "commander";
import { isConfirmed } from "../confirmation.ts";
import { openTroupe } from "../connection.ts";
import { exitCode } from "../exit-code.ts";
import { CommandError, UsageError } from "../failure.ts";
import type { GlobalOptions } from "../global-options.ts";
import { addExamples } from "../help-text.ts";
import { collectTopics } from "../name-options.ts";
import type { Run } from "../run.ts";
import { toJson } from "../terminal/json.ts";

interface ForgetOptions extends GlobalOptions {
  readonly message?: readonly string[];
  readonly topic?: readonly string[];
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function addAgentsForget(agents: Command, run: Run): void {
  const command = agents
    .command("forget")
    .summary("take messages and topics away from a type")
    .description(
      "Forget messages and topics of an agent type that no code handles any more. What waits for " +
        "newer code because of them goes on: such messages become dead letters, such publications " +
        "are passed over. A worker that starts with code that knows a name adds it again.",
    )
    .argument("<type>", "the agent type")
    .option("--message <name...>", "messages to forget")
    .option("--topic <name...>", "topics to forget", collectTopics)
    .option("--yes", "do not ask; needed where nobody can be asked")
    .option("--json", "the manifest that is left, as one JSON object")
    .action(async (type: string, _: unknown, self: Command) => {
      await forget(type, self.optsWithGlobals<ForgetOptions>(), run);
    });
  addExamples(command, [
    ["troupe agents forget account --message split", "after a deploy was rolled back"],
    ["troupe agents forget ledger --topic refunds --yes", "without a question"],
  ]);
}

async function forget(type: string, options: ForgetOptions, run: Run): Promise<void> {
  const { message: messages = [], topic: topics = [] } = options;
  if (messages.length + topics.length === 0) {
    throw new UsageError("What is to be forgotten? Give --message or --topic.");
  }
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const known = await run.interruption.orInterrupted(troupe.log.manifest(type, { firm: true }));
  requireKnown(type, known, messages, topics);
  const names = [...messages, ...topics].join(", ");
  const text = `Forget ${names} of ${type}? What waits for it becomes dead letters or is passed over.`;
  if (options.yes !== true && !(await isConfirmed({ text, destroys: true }, run))) {
    run.terminal.note("Nothing was done.");
    run.exitCode = exitCode.failed;
    return;
  }
  const left = await run.interruption.orInterrupted(troupe.log.forget(type, { messages, topics }));
  run.terminal.print(options.json === true ? toJson(left) : `Forgotten of ${type}: ${names}.`);
}

/** @throws CommandError */
function requireKnown(
  type: string,
  known: Manifest | undefined,
  messages: readonly string[],
  topics: readonly string[],
): void {
  const unknown = [
    ...messages.filter((name) => known?.messages.includes(name) !== true),
    ...topics.filter((name) => known?.topics.includes(name) !== true),
  ];
  if (unknown.length === 0) return;
  const what =
    known === undefined ? `no agent type ${type}` : `no ${unknown.join(", ")} of ${type}`;
  throw new CommandError(`There is ${what}: \`troupe agents\` shows what is known.`, {
    details: { type, unknown },
  });
}
