/** `npm run demo`, as a newcomer runs it: what it prints, and what it leaves on the broker. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { jetstreamManager } from "@nats-io/jetstream";
import { connect as dial } from "@nats-io/transport-node";
import { startNatsServer } from "@troupe/jetstream/server";
import { expect, test } from "vitest";
import { z } from "zod";

import { personalData, plain } from "./personal-data.ts";
import { readStream } from "./raw-stream.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const desk = new URL("../../packages/examples/customer-service/", import.meta.url);
const run = promisify(execFile);

const count = z.int().nonnegative();
const milliseconds = z.number().positive();
const resultSchema = z.strictObject({
  inquiries: count,
  answered: count,
  escalated: count,
  byCategory: z.strictObject({
    faq: count,
    technical: count,
    billing: count,
    complaint: count,
    sales: count,
    general: count,
  }),
  duplicates: count,
  lost: count,
  killedWorkers: count,
  turnsPerSecond: z.number().positive(),
  p50Ms: milliseconds,
  p95Ms: milliseconds,
  p99Ms: milliseconds,
});

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
}

/** Rejects when it does not end well. Without a broker's URL it starts one of its own. */
function demo(brokerUrl: string): Promise<Ended> {
  const command = ["run", "--silent", "demo", "--", "--json", "--rate", "0"];
  const env = { ...process.env, TROUPE_NATS_URL: brokerUrl };
  return run("npm", command, { cwd: root, env, timeout: 60_000 });
}

async function linesOf(path: string): Promise<string[]> {
  const text = await readFile(new URL(path, desk), "utf8");
  return text.split("\n").filter((line) => line !== "");
}

function expectGood(ended: Ended, inquiries: number): void {
  const last = ended.stdout.trimEnd().split("\n").at(-1) ?? "";
  const result = resultSchema.parse(JSON.parse(last));
  expect(result).toMatchObject({ inquiries, duplicates: 0, lost: 0, killedWorkers: 1 });
  expect(result.answered + result.escalated).toBe(inquiries);
  expect(Object.values(result.byCategory).reduce((sum, each) => sum + each, 0)).toBe(inquiries);
  expect(Math.min(result.answered, result.escalated)).toBeGreaterThan(0);
  expect(result.p50Ms).toBeLessThanOrEqual(result.p95Ms);
  expect(result.p95Ms).toBeLessThanOrEqual(result.p99Ms);
}

test("starts its own broker and ends with one line of JSON", { timeout: 70_000 }, async () => {
  const inquiries = (await linesOf("data/inquiries.ndjson")).length;
  expect(inquiries).toBeGreaterThanOrEqual(200);
  const ended = await demo("");
  expectGood(ended, inquiries);
  expect(ended.stderr).toContain("started for this demo");
  expect(ended.stderr).toContain("with SIGKILL");
});

test("leaves no personal data on the broker", { timeout: 70_000 }, async () => {
  await using server = await startNatsServer();
  const lines = await linesOf("data/inquiries.ndjson");
  expectGood(await demo(server.url), lines.length);
  const namespace = await namespaceOn(server.url);
  const { inputs, texts, turns } = await readStream(server.url, namespace);
  expect(inputs.filter(({ name }) => name === "inquiries")).toHaveLength(lines.length);
  expect(turns.length).toBeGreaterThan(lines.length);

  const stored = texts.map(plain).join("\n");
  for (const placeholder of ["[email]", "[card]", "[phone]", "[id]"]) {
    expect(stored).toContain(placeholder);
  }
  expect(personalData.filter((each) => stored.includes(plain(each)))).toEqual([]);
});

test("the list of personal data is that of the bundled inquiries", async () => {
  const texts = (await linesOf("data/inquiries.ndjson")).join("\n");
  expect(personalData.filter((each) => !texts.includes(each))).toEqual([]);
  expect(personalData.filter((each) => !plain(texts).includes(plain(each)))).toEqual([]);
  const labels = await linesOf("fixtures/pii-labels.ndjson");
  const found = labels.flatMap((line) => Object.values(labelSchema.parse(JSON.parse(line)).found));
  expect(personalData).toHaveLength(found.reduce((sum, each) => sum + each, 0));
});

const labelSchema = z.object({ found: z.record(z.string(), count) });

/** The one namespace that a demo left behind. */
async function namespaceOn(url: string): Promise<string> {
  const client = await dial({ servers: url });
  const manager = await jetstreamManager(client);
  const names: string[] = [];
  for await (const name of manager.streams.names()) names.push(name);
  await client.close();
  expect(names.toSorted((a, b) => a.localeCompare(b))).toHaveLength(3);
  return (names.find((name) => name.endsWith("-0")) ?? "").replace(/-0$/, "");
}
