/**
 * `troupe publish`: events on a topic, one from the command line or many from the standard input.
 */
import { printable } from "@troupe/core/operate";
import { fstatSync } from "node:fs";
import type { Receipt, Topic, Troupe } from "@troupe/core";
import type { Command } from "commander";
import { openTroupe } from "../connection.ts";
import { parseCount } from "../count-option.ts";
import { addExamples } from "../help-text.ts";
import { exitCode } from "../exit-code.ts";
import { UsageError } from "../failure.ts";
import type { GlobalOptions } from "../global-options.ts";
import { parseJsonArgument } from "../json-argument.ts";
import { LinePublisher } from "../publish/line-publisher.ts";
import { progressText } from "../publish/progress-text.ts";
import type { Publication } from "../publish/publication.ts";
import { Tally } from "../publish/tally.ts";
import type { Run } from "../run.ts";
import { toJson } from "../terminal/json.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { wrapText } from "../terminal/wrap-text.ts";
import { untypedTopic } from "../untyped-topic.ts";

interface PublishOptions extends GlobalOptions {
  readonly sourceField?: string;
  readonly idField?: string;
  readonly id?: string;
  readonly inFlight: number;
  readonly strict?: boolean;
  readonly json?: boolean;
}

interface Target {
  readonly troupe: Troupe;
  readonly topic: Topic<unknown, unknown>;
}

interface PublishCall {
  readonly topic: string;
  readonly source: string | undefined;
  readonly json: string | undefined;
}

const inFlightDefault = 256;
const progressIntervalMs = 100;
/**
 * JSON may be so much longer than the MessagePack it becomes: an escaped character takes six bytes
 * for two.
 */
const lineBytesPerPayloadByte = 4;

export function addPublish(program: Command, run: Run): void {
  const command = program
    .command("publish")
    .summary("publish events on a topic, from JSON or NDJSON")
    .description(
      "Publish an event on a topic. Without [json], every line of the standard input is one event. " +
        "A bad line is reported with its number and the rest goes on.",
    )
    .argument("<topic>", "name of the topic")
    .argument("[source]", "who publishes; the agents with this key handle the event")
    .argument("[json]", "the event; - reads one event from the standard input")
    .option("--source-field <path>", "take each line's source from this field, such as user.id")
    .option("--id-field <path>", "take each line's message id from this field: repeating is safe")
    .option("--id <id>", "message id of the one event on the command line")
    .option(
      "--in-flight <count>",
      "lines on their way at once; 1 keeps the order even when the connection breaks",
      parseCount(1, 10_000),
      inFlightDefault,
    )
    .option("--strict", "stop at the first bad line")
    .option("--json", "print the summary as JSON")
    .action(async (topic, source, json, _: unknown, self: Command) => {
      await publish({ topic, source, json }, self.optsWithGlobals<PublishOptions>(), run);
    });
  addExamples(command, [
    [`troupe publish inquiries conversation-42 '{"text":"Where is my order?"}'`, "one event"],
    ["troupe publish inquiries conversation-42 < inquiry.ndjson", "each line an event"],
    [
      "troupe publish inquiries --source-field user --id-field id < events.ndjson",
      "source and id from each line; safe to repeat",
    ],
  ]);
}

async function publish(call: PublishCall, options: PublishOptions, run: Run): Promise<void> {
  requireUsable(call, options);
  const topic = usableTopic(call.topic);
  const payload = call.json === undefined ? undefined : await parseJsonArgument(call.json, run);
  await using troupe = await openTroupe(options, run, { createStreams: true });
  const target = { troupe, topic };
  if (call.json === undefined) {
    await publishLines(target, call.source, { options, run });
    return;
  }
  const publication = { source: call.source ?? "", id: options.id, payload };
  await publishOne(target, publication, { options, run });
}

function requireUsable({ source, json }: PublishCall, options: PublishOptions): void {
  if ((source === undefined) === (options.sourceField === undefined)) {
    throw new UsageError("Give either a source or --source-field, which names it in each line.");
  }
  if (json !== undefined && options.idField !== undefined) {
    throw new UsageError("--id-field is for NDJSON on the standard input; use --id here.");
  }
  if (json === undefined && options.id !== undefined) {
    throw new UsageError("--id is for one event; use --id-field for lines.");
  }
  if (json === undefined && process.stdin.isTTY) {
    throw new UsageError("Give the event as JSON, or pipe NDJSON into the standard input.");
  }
}

function usableTopic(name: string): Topic<unknown, unknown> {
  try {
    return untypedTopic(name);
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

async function publishOne(
  target: Target,
  publication: Publication,
  { options, run }: { readonly options: PublishOptions; readonly run: Run },
): Promise<void> {
  const { position, id, duplicate } = await run.interruption.orInterrupted(
    publishTo(target, publication),
  );
  if (options.json === true) {
    run.terminal.print(toJson({ position, id, duplicate }));
    return;
  }
  const state = duplicate ? "Was there already" : "Published";
  run.terminal.print(`${state} on ${target.topic.name} at position ${position}.`);
}

async function publishLines(
  target: Target,
  source: string | undefined,
  { options, run }: { readonly options: PublishOptions; readonly run: Run },
): Promise<void> {
  const { terminal, interruption } = run;
  const tally = new Tally();
  const { sourceField, idField } = options;
  const publisher = new LinePublisher(
    {
      fields: { source, sourceField, idField },
      inFlightMax: options.inFlight,
      lineBytesMax: target.troupe.log.limits.payloadBytesMax * lineBytesPerPayloadByte,
      isStrict: options.strict === true,
      signal: interruption.signal,
      publish: (publication) => publishTo(target, publication),
      onBadLine: (lineNumber, why) => {
        if (options.json === true) {
          terminal.note(toJson({ line: lineNumber, error: why }));
          return;
        }
        const text = wrapText(`line ${lineNumber}: ${printable(why)}`, terminal.noteWidth);
        terminal.noteLines(text.replace(/^line \d+:/, (mark) => terminal.paintNote("red", mark)));
      },
    },
    tally,
  );
  interruption.signal.addEventListener("abort", () => {
    terminal.note("Stopping: what is on its way is waited for. Ctrl-C again ends at once.");
  });
  const unavailable = await withProgress(tally, terminal, () => publisher.run(process.stdin));
  terminal.printLines(
    options.json === true ? toJson(tally) : wrapText(String(tally), terminal.width),
  );
  if (unavailable !== undefined) throw unavailable;
  if (tally.failed > 0) run.exitCode = exitCode.failed;
  if (interruption.signal.aborted) run.exitCode = exitCode.interrupted;
}

async function withProgress<T>(
  tally: Tally,
  terminal: Terminal,
  work: () => Promise<T>,
): Promise<T> {
  const sizeBytes = inputSizeBytes();
  const progress = setInterval(() => {
    terminal.status(progressText(tally, sizeBytes, terminal.noteWidth - 1));
  }, progressIntervalMs);
  try {
    return await work();
  } finally {
    clearInterval(progress);
    terminal.status("");
  }
}

/** Known when a file is redirected into the command. */
function inputSizeBytes(): number | undefined {
  const input = fstatSync(0);
  return input.isFile() ? input.size : undefined;
}

function publishTo(
  { topic, troupe }: Target,
  { id, payload, source }: Publication,
): Promise<Receipt> {
  return troupe.publish(topic, source, payload, id === undefined ? {} : { id });
}
