/** `troupe ask`: send a message to an agent and print its reply. */
import { agentNamed } from "@troupe/core";
import { AskCancelledError } from "@troupe/core/errors";
import type { AgentId } from "@troupe/core/log";
import type { Command } from "commander";
import { parseAgentArgument } from "../agent-argument.ts";
import { openTroupe } from "../connection.ts";
import { durationOption } from "../duration.ts";
import { addExamples } from "../help-text.ts";
import { InterruptedError, UsageError } from "../failure.ts";
import type { GlobalOptions } from "../global-options.ts";
import { parseJsonArgument } from "../json-argument.ts";
import type { Run } from "../run.ts";
import { toJson } from "../terminal/json.ts";

interface AskOptions extends GlobalOptions {
  readonly timeout: number;
  readonly id?: string;
  readonly json?: boolean;
}

export function addAsk(program: Command, run: Run): void {
  const command = program
    .command("ask")
    .summary("send a message to an agent and print its reply")
    .description("Send a message to an agent, wait for its turn, and print the reply as JSON.")
    .argument("<agent>", "type/key", parseAgentArgument)
    .argument("<message>", "name of the message")
    .argument("[json]", "payload; - reads it from the standard input", "{}")
    .addOption(durationOption("--timeout", "how long to wait for the reply", "30s"))
    .option("--id <id>", "message id: asking again with it returns the recorded reply")
    .option("--json", "the reply on one line, and errors as JSON")
    .action(async (agent: AgentId, message: string, json: string, _: unknown, self: Command) => {
      await ask({ agent, message, json }, self.optsWithGlobals<AskOptions>(), run);
    });
  addExamples(command, [
    [`troupe ask account/alice deposit '{"amount":5}'`, "one message, one reply"],
    ["troupe ask account/alice balance --timeout 5s | jq", "a message without a payload"],
    ["troupe ask support/42 answer - < question.json", "the payload from a file"],
  ]);
}

interface AskCall {
  readonly agent: AgentId;
  readonly message: string;
  readonly json: string;
}

async function ask(call: AskCall, options: AskOptions, run: Run): Promise<void> {
  const payload = await parseJsonArgument(call.json, run);
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const { signal } = run.interruption;
  const calls = troupe.agent(agentNamed(call.agent.type), call.agent.key, {
    timeoutMs: options.timeout,
    signal,
  });
  const send = calls[call.message];
  if (send === undefined) throw new UsageError(`${call.message} cannot name a message.`);
  const callOptions = options.id === undefined ? {} : { id: options.id };
  const isPretty = run.terminal.isInteractive && options.json !== true;
  try {
    run.terminal.printLines(toJson(await send(payload, callOptions), isPretty ? 2 : 0));
  } catch (error) {
    if (!(error instanceof AskCancelledError)) throw error;
    run.terminal.note("Interrupted. The message was accepted and may still be handled.");
    throw new InterruptedError();
  }
}
