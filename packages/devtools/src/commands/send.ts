/** `troupe send`: give an agent a message and do not wait for its turn. */
import { agentNamed } from "@troupe/core";
import { agentName } from "@troupe/core/log";
import type { AgentId } from "@troupe/core/log";
import type { Command } from "commander";
import { parseAgentArgument } from "../agent-argument.ts";
import { openTroupe } from "../connection.ts";
import { addExamples } from "../help-text.ts";
import { UsageError } from "../failure.ts";
import type { GlobalOptions } from "../global-options.ts";
import { parseJsonArgument } from "../json-argument.ts";
import type { Run } from "../run.ts";
import { toJson } from "../terminal/json.ts";

interface SendOptions extends GlobalOptions {
  readonly id?: string;
  readonly json?: boolean;
}

interface SendCall {
  readonly agent: AgentId;
  readonly message: string;
  readonly json: string;
}

export function addSend(program: Command, run: Run): void {
  const command = program
    .command("send")
    .summary("send a message to an agent")
    .description(
      "Send a message to an agent. Done when the log has accepted it, not when it is handled.",
    )
    .argument("<agent>", "type/key", parseAgentArgument)
    .argument("<message>", "name of the message")
    .argument("[json]", "payload; - reads it from the standard input", "{}")
    .option("--id <id>", "message id: the same id is stored once")
    .option("--json", "print position, id and duplicate as JSON")
    .action(async (agent: AgentId, message: string, json: string, _: unknown, self: Command) => {
      await send({ agent, message, json }, self.optsWithGlobals<SendOptions>(), run);
    });
  addExamples(command, [
    [`troupe send account/alice deposit '{"amount":5}'`, "one message"],
    [`troupe send order/42 ship --id ship-42`, "safe to repeat"],
  ]);
}

async function send(call: SendCall, options: SendOptions, run: Run): Promise<void> {
  const payload = await parseJsonArgument(call.json, run);
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const calls = troupe.send(agentNamed(call.agent.type), call.agent.key, {
    signal: run.interruption.signal,
  });
  const accept = calls[call.message];
  if (accept === undefined) throw new UsageError(`${call.message} cannot name a message.`);
  const callOptions = options.id === undefined ? {} : { id: options.id };
  const { position, id, duplicate } = await run.interruption.orInterrupted(
    accept(payload, callOptions),
  );
  if (options.json === true) {
    run.terminal.print(toJson({ position, id, duplicate }));
    return;
  }
  const what = duplicate ? "was there already" : "accepted";
  run.terminal.print(
    `${call.message} for ${agentName(call.agent)} ${what} at position ${position}.`,
  );
}
