/** `troupe storage`: how much a system keeps, of what, and how it grows. */
import type { StorageReport, StoredPart } from "@troupe/core/log";
import type { Command } from "commander";
import { openTroupe } from "../connection.ts";
import { addExamples } from "../help-text.ts";
import type { GlobalOptions } from "../global-options.ts";
import type { Run } from "../run.ts";
import { toJson } from "../terminal/json.ts";
import { bytes as bytesOf, count, counted, dateAndTime } from "../terminal/quantities.ts";
import { tableLines } from "../terminal/table.ts";

interface StorageOptions extends GlobalOptions {
  readonly json?: boolean;
}

export function addStorage(program: Command, run: Run): void {
  const command = program
    .command("storage")
    .summary("how much is kept, of what, and how it grows")
    .description(
      "Show how many bytes the journals, messages, publications, dead letters and snapshots of each " +
        "type take, since when they are kept, what a day adds, and when a limit of storage is " +
        "reached. Everything is kept unless an agent type or a topic declares a retention. Sizes of " +
        "single parts are estimated from samples.",
    )
    .option("--json", "one JSON object")
    .action(async (_: unknown, self: Command) => {
      await storage(self.optsWithGlobals<StorageOptions>(), run);
    });
  addExamples(command, [
    ["troupe storage", "what takes how much"],
    ["troupe storage --json | jq .bytesPerDay", "what a day adds, in bytes"],
  ]);
}

async function storage(options: StorageOptions, run: Run): Promise<void> {
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const report = await run.interruption.orInterrupted(troupe.log.storage());
  const fullAtMs = fullAt(report, Date.now());
  if (options.json === true) {
    run.terminal.print(toJson({ ...report, fullAtMs }));
    return;
  }
  show(report, fullAtMs, run);
}

/**
 * Time at which the limit is reached if nothing is removed meanwhile; undefined without a limit or
 * growth.
 */
function fullAt({ bytesPerDay, limit }: StorageReport, nowMs: number): number | undefined {
  if (limit === undefined || bytesPerDay === 0) return undefined;
  return nowMs + (Math.max(0, limit.bytes - limit.usedBytes) / bytesPerDay) * dayMs;
}

function show(report: StorageReport, fullAtMs: number | undefined, { terminal }: Run): void {
  const { bytes, bytesPerDay, limit, messages, oldestMs, parts } = report;
  const since = oldestMs === undefined ? "" : `, since ${dateAndTime(oldestMs, { short: true })}`;
  terminal.print(
    `${terminal.paint("bold", bytesOf(bytes))} in ${counted(messages, "message")}${since}`,
  );
  terminal.print(`A day adds about ${bytesOf(bytesPerDay)}.`);
  if (limit === undefined) {
    terminal.print("No limit is set for this account: the server's own, or its disk, is one.");
  } else {
    const left = bytesOf(Math.max(0, limit.bytes - limit.usedBytes));
    const full =
      fullAtMs === undefined
        ? ""
        : `: full about ${dateAndTime(fullAtMs, { short: true })} if nothing goes`;
    terminal.print(`${left} are left of ${bytesOf(limit.bytes)}${full}.`);
  }
  if (parts.length === 0) return;
  terminal.print("");
  for (const line of tableLines(columns, parts.map(row), terminal)) terminal.print(line);
}

const columns = [
  { title: "KIND" },
  { title: "BYTES", align: "right" },
  { title: "MESSAGES", align: "right" },
  { title: "OLDEST" },
  { title: "OF" },
] as const;

function row({ bytes, kind, messages, name, oldestMs }: StoredPart): readonly string[] {
  const oldest = oldestMs === undefined ? "" : dateAndTime(oldestMs, { short: true });
  return [kind, bytesOf(bytes), count(messages), oldest, name];
}

const dayMs = 86_400_000;
