#!/usr/bin/env node
/**
 * The customer-service desk, end to end, on a real broker: `npm run demo`.
 *
 * Starts a broker and two worker processes, publishes the bundled inquiries, kills one worker in
 * the middle, waits until everything has come to rest, and counts from the log what happened.
 */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";

import { connect } from "@troupe/jetstream";
import { ensureBroker } from "@troupe/jetstream/server";

import type { Troupe } from "@troupe/core";
import { inquiries } from "./agents/topics.ts";
import { startDeskWorkers } from "./demo/desk-workers.ts";
import { countJournal } from "./demo/journal-count.ts";
import { watchProgress } from "./demo/live-progress.ts";
import { progressLine } from "./demo/progress-line.ts";
import type { DemoResult } from "./demo/report.ts";
import { toJson, toTable } from "./demo/report.ts";
import { loadInquiries } from "./inquiry.ts";
import { maskInquiries } from "./mask-interceptor.ts";

interface DemoOptions {
  readonly json: boolean;
  /** Inquiries published per second; 0 is as fast as the broker accepts them. */
  readonly rate: number;
  /**
   * Number of times that the bundled file is published, each time with conversations of its own.
   */
  readonly times: number;
}

const help = `npm run demo [-- options]

Starts a broker and two worker processes, publishes the bundled customer inquiries, kills
one worker in the middle and counts from the log what happened.

  --rate N    inquiries per second, 0 for as fast as possible (default 100)
  --times N   publish the file N times, with conversations of its own each time (default 1)
  --json      end with one line of JSON instead of a table
  --help      this text

TROUPE_NATS_URL   use this broker instead of starting one
`;

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return 0;
  const say = (text: string): void =>
    void (options.json ? process.stderr : process.stdout).write(`${text}\n`);
  await using broker = await ensureBroker({ onProgress: say });
  const namespace = `demo-${randomBytes(3).toString("hex")}`;
  say(`broker     ${broker.url}${broker.server === undefined ? "" : " (started for this demo)"}`);
  await using troupe = await connect({
    servers: broker.url,
    namespace,
    name: "demo",
    interceptors: [maskInquiries],
  });
  await using workers = await startDeskWorkers({ count: 2, url: broker.url, namespace });
  say(`workers    2 processes: ${workers.pids.join(", ")}`);
  const killedWorkers = await run(troupe, workers, options, say);
  await workers.stop();
  const result: DemoResult = { ...(await countJournal(troupe.log)), killedWorkers };
  say(`\ncounted from the log:\n${toTable(result)}`);
  if (options.json) process.stdout.write(`${toJson(result)}\n`);
  return result.lost + result.duplicates === 0 ? 0 : 1;
}

/**
 * Publish everything, kill one worker half-way, wait for the end. Returns how many workers were
 * killed.
 */
async function run(
  troupe: Troupe,
  workers: { killOne(): string },
  options: DemoOptions,
  say: (text: string) => void,
): Promise<number> {
  const total = loadInquiries().length * options.times;
  const line = progressLine(options.json ? process.stderr : process.stdout, total);
  let killedWorkers = 0;
  const finished = new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(stalled);
      progress.stop();
      resolve();
    };
    // What never comes to an end must not keep the demo waiting: it is counted as lost.
    let stalled = setTimeout(end, stallMs);
    const progress = watchProgress(troupe, ({ answered, escalated, reviewed }) => {
      line.show(answered, escalated);
      clearTimeout(stalled);
      stalled = setTimeout(end, stallMs);
      if (killedWorkers === 0 && answered + escalated >= total / 2) {
        killedWorkers += 1;
        line.clear();
        say(`killed     ${workers.killOne()} with SIGKILL, the other one goes on alone`);
      }
      if (answered + escalated >= total && reviewed >= total) end();
    });
  });
  await Promise.all([publishAll(troupe, options), finished]);
  line.clear();
  return killedWorkers;
}

async function publishAll(troupe: Troupe, { rate, times }: DemoOptions): Promise<void> {
  const startedAt = performance.now();
  const pending: Promise<unknown>[] = [];
  let published = 0;
  for (let round = 0; round < times; round++) {
    for (const { id, conversation, channel, language, text } of loadInquiries()) {
      const suffix = times === 1 ? "" : `.${round}`;
      const inquiry = {
        id: `${id}${suffix}`,
        conversation: `${conversation}${suffix}`,
        channel,
        language,
        text,
      };
      pending.push(troupe.publish(inquiries, inquiry.conversation, inquiry, { id: inquiry.id }));
      published += 1;
      if (pending.length >= inFlightMax) await Promise.all(pending.splice(0));
      if (rate > 0) await until(startedAt + (1000 * published) / rate);
    }
  }
  await Promise.all(pending);
}

const inFlightMax = 256;
const stallMs = 30_000;

async function until(time: number): Promise<void> {
  const leftMs = time - performance.now();
  if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
}

function readOptions(): DemoOptions | undefined {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      rate: { type: "string", default: "100" },
      times: { type: "string", default: "1" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return undefined;
  }
  return {
    json: values.json,
    rate: wholeNumber("rate", values.rate, 0),
    times: wholeNumber("times", values.times, 1),
  };
}

function wholeNumber(name: string, text: string, min: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= min) return number;
  throw new Error(`--${name} takes a whole number of at least ${min}, not ${JSON.stringify(text)}`);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
