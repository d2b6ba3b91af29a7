/** The broker is killed under load, twice: nothing accepted is lost, and nobody has to help. */
import { connect as dial } from "@nats-io/transport-node";
import { TroupeError, type Troupe } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { afterAll, beforeAll, expect, test } from "vitest";

import { counterOf, readStream, type RawStream } from "./raw-stream.ts";
import { addOf, checkStream, nothing, type Published } from "./tally/tally-check.ts";
import { accountOf, startTallyWorker } from "./tally/tally-worker-settings.ts";
import { copyAgent, tallyAgent, type Add } from "./tally/tally.ts";

const namespace = "outage";
const tally = tallyAgent();
let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server?.stop());

/** Outcome of the messages of one key. */
interface Outcome {
  readonly key: string;
  readonly accepted: Add[];
  /** Answers, by number. */
  readonly replies: Map<number, unknown>;
  readonly errors: unknown[];
}

/** Calls back once when so many things happened. */
function milestones(marks: ReadonlyMap<number, () => void>): () => void {
  let count = 0;
  return () => marks.get(++count)?.();
}

/** Number after number of one key, the next when the last one is settled. */
async function each(
  key: string,
  count: number,
  settled: () => void,
  send: (add: Add, outcome: Outcome) => Promise<void>,
): Promise<Outcome> {
  const outcome: Outcome = { key, accepted: [], replies: new Map(), errors: [] };
  for (let n = 1; n <= count; n++) {
    const add = { n, value: n * 31 + key.length };
    await send(add, outcome).catch((thrown: unknown) => outcome.errors.push(thrown));
    settled();
  }
  return outcome;
}

const senders = 40;
const askers = Array.from({ length: 10 }, (_, i) => `asked-${i}`);
const strangers = Array.from({ length: 10 }, (_, i) => `foreign-${i}`);
const perKey = 120;

test("killed and restarted twice, it loses and doubles nothing", { timeout: 90_000 }, async () => {
  await using other = await startTallyWorker({ id: "process", url: server.url, namespace });
  await using host = await connect(server.url, { namespace });
  const own = await host.work([tally, copyAgent], { id: "in-process" });
  await using troupe = await connect(server.url, { namespace });
  const outages: Promise<void>[] = [];
  const outage = (): void => void outages.push(server.kill().then(() => server.restart()));
  const total = (senders + askers.length + strangers.length) * perKey;
  const marks = [Math.round(total * 0.3), Math.round(total * 0.6)];
  const settled = milestones(new Map(marks.map((mark) => [mark, outage])));

  const [sent, asked, foreign] = await Promise.all([
    sendAll(troupe, settled),
    askAll(troupe, settled),
    publishAll(settled),
  ]);
  expect(outages).toHaveLength(2);
  await Promise.all(outages);
  expect(sent.flatMap(({ errors }) => errors)).toEqual([]);
  for (const error of asked.flatMap(({ errors }) => errors)) {
    expect(error).toBeInstanceOf(TroupeError);
    expect(error).toMatchObject({ code: expect.stringMatching(/^log-unavailable|^ask-deadline/) });
  }
  const shares = async (): Promise<number[]> => [
    own.holdings.length,
    (await accountOf(other)).holdings.length,
  ];
  await expect.poll(shares, { timeout: 30_000, interval: 50 }).toEqual([16, 16]);
  const sentAfter = await sendAll(troupe, () => undefined, "after");
  await allHandled();

  const stream = await readStream(server.url, namespace);
  const published = new Map([
    ...[...sent, ...sentAfter].map(({ key, accepted }) => [key, accepted] as const),
    // Who was told of a failure does not know whether the message was stored: the stream does.
    ...[...asked, ...foreign].map(({ key }) => [key, storedOf(stream, key)] as const),
  ]);
  expect(checkStream(published, stream)).toEqual(nothing);
  expectKept([...asked, ...foreign], published);
  expectAnswersRecorded(asked, stream);
  const after = stream.turns.filter(({ key }) => key.startsWith("after"));
  expect(new Set(after.map(({ record }) => record.worker)), "both resumed without help").toEqual(
    new Set(["process", "in-process"]),
  );
  await other.stop();
});

function sendAll(troupe: Troupe, settled: () => void, prefix = "sent"): Promise<Outcome[]> {
  const send = (key: string): Promise<Outcome> =>
    each(key, perKey, settled, async (add, { accepted }) => {
      await troupe.send(tally, key).add(add);
      accepted.push(add);
    });
  return Promise.all(Array.from({ length: senders }, (_, i) => send(`${prefix}-${i}`)));
}

function askAll(troupe: Troupe, settled: () => void): Promise<Outcome[]> {
  const ask = (key: string): Promise<Outcome> =>
    each(key, perKey, settled, async (add, { accepted, replies }) => {
      replies.set(add.n, await troupe.agent(tally, key, { timeoutMs: 20_000 }).add(add));
      accepted.push(add);
    });
  return Promise.all(askers.map(ask));
}

/** A bare client that tries nothing twice. */
async function publishAll(settled: () => void): Promise<Outcome[]> {
  const client = await dial({ servers: server.url, maxReconnectAttempts: -1 });
  const publish = (key: string): Promise<Outcome> =>
    each(key, perKey, settled, async (add, { accepted }) => {
      const subject = `${namespace}.agent.tally.${key}`;
      await client.request(subject, JSON.stringify({ add }), { timeout: 500 });
      accepted.push(add);
    });
  const outcomes = await Promise.all(strangers.map(publish));
  await client.close();
  return outcomes;
}

/** As many turns as inputs; whether they are the right ones is checked later. */
async function allHandled(): Promise<void> {
  const client = await dial({ servers: server.url });
  const stored = await counterOf(client, namespace);
  const open = async (): Promise<number> =>
    (await stored("*.in.agent.*.*")) - (await stored("*.journal.*.*"));
  await expect.poll(open, { timeout: 30_000, interval: 100 }).toBeLessThanOrEqual(0);
  await client.close();
}

function storedOf(stream: RawStream, key: string): Add[] {
  return stream.inputs
    .filter((input) => input.name === "tally" && input.key === key)
    .flatMap(addOf);
}

/** Expects that the messages that were accepted are on the stream, once. */
function expectKept(outcomes: readonly Outcome[], published: Published): void {
  for (const { accepted, key } of outcomes) {
    const numbers = (published.get(key) ?? []).map(({ n }) => n);
    expect(numbers).toEqual([...new Set(numbers)]);
    const kept = new Set(numbers);
    expect(accepted.filter(({ n }) => !kept.has(n))).toEqual([]);
  }
}

function expectAnswersRecorded(asked: readonly Outcome[], stream: RawStream): void {
  const turns = Map.groupBy(stream.turns, ({ type, key }) => `${type}/${key}`);
  for (const { key, replies } of asked) {
    const recorded = (turns.get(`tally/${key}`) ?? []).map(({ record }) => record);
    for (const [n, reply] of replies) {
      const answers = recorded.filter(
        ({ events }) => (events[0]?.data as Add | undefined)?.n === n,
      );
      expect(answers.map((record) => record.reply)).toEqual([reply]);
    }
  }
}
