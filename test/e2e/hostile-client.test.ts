/**
 * A client that may publish on one public subject, and wants more (I14): what it sends costs it a
 * dead letter at worst, and changes nothing of anybody else's. Under the users that are shipped.
 */
import { connect as dial, headers, type NatsConnection } from "@nats-io/transport-node";
import { agent, type Agent, type Troupe } from "@troupe/core";
import { encodePayload, type DeadLetter } from "@troupe/core/log";
import { redriveDraft } from "@troupe/core/operate";
import { connect } from "@troupe/jetstream";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";

import {
  startGuardedServer,
  type GuardedServer,
} from "../../packages/jetstream/src/guarded-server.ts";
import { counterOf } from "./raw-stream.ts";

type Account = Agent<
  { readonly balance: number },
  { readonly added: { readonly amount: number } },
  {
    readonly deposit: { readonly input: { readonly amount: number }; readonly reply: number };
    readonly later: { readonly input: { readonly amount: number }; readonly reply: void };
    readonly shaky: { readonly input: object; readonly reply: void };
    readonly sender: { readonly input: object; readonly reply: void };
  }
>;

/** Senders of what was handled, as the handler was told. */
const senders: (string | undefined)[] = [];
const account: Account = agent("account")
  .state({ balance: 0 })
  .event("added", z.object({ amount: z.number() }), ({ balance }, { amount }) => ({
    balance: balance + amount,
  }))
  .on("deposit", z.object({ amount: z.number() }), (context, { amount }) => {
    context.emit.added({ amount });
    return context.state.balance;
  })
  .on("later", z.object({ amount: z.number() }), (context, { amount }) => {
    context.after(2000, { id: "soon" }).deposit({ amount });
  })
  .on("shaky", z.object({}), () => {
    throw new Error("not today");
  })
  .on("sender", z.object({}), (context) => void senders.push(context.message.sender));

const namespaces = Array.from({ length: 10 }, (_, i) => `hostile-${i + 1}`);
const timeout = 5000;
let guarded: GuardedServer;
let eve: NatsConnection;
let operator: Troupe;
let worker: Troupe;
let bare: NatsConnection | undefined;
let namespace: string;
let used = 0;

beforeAll(async () => {
  guarded = await startGuardedServer(namespaces);
});
afterAll(() => guarded[Symbol.asyncDispose]());
beforeEach(async () => {
  namespace = namespaces[used++] ?? "none left";
  operator = await connect({ ...guarded.as("operator", namespace), namespace });
  worker = await connect({ ...guarded.as("worker", namespace), namespace, onFault: false });
  eve = await dial({ ...guarded.as("publisher", namespace), noAsyncTraces: true });
});
afterEach(async () => {
  await eve.close();
  await bare?.close();
  await operator.close();
  await worker.close();
});

async function work(): Promise<void> {
  const retry = { attemptsMax: 1, exhausted: "park" } as const;
  await worker.work(account, { retry, timings: { joinDelayMs: 10 } });
}

async function reader(): Promise<NatsConnection> {
  bare = await dial(guarded.as("operator", namespace));
  return bare;
}

/** Sends a message, and returns what the server answers. */
async function send(lines: Readonly<Record<string, string>>, payload: string): Promise<unknown> {
  const said = headers();
  for (const [name, value] of Object.entries(lines)) said.append(name, value);
  const subject = `${namespace}.agent.account.eve`;
  return (await eve.request(subject, payload, { headers: said, timeout })).json();
}

async function letters(): Promise<(DeadLetter & { readonly position: number })[]> {
  const found: (DeadLetter & { readonly position: number })[] = [];
  for await (const entry of operator.follow({ from: 1, untilNow: true, kinds: ["dead-letter"] })) {
    if (entry.kind === "dead-letter") found.push({ ...entry.deadLetter, position: entry.position });
  }
  return found;
}

test("no header of hers purges, writes, schedules, or removes what is bob's", async () => {
  await work();
  const bob = operator.agent(account, "bob");
  await bob.deposit({ amount: 100 });
  await operator.send(account, "bob").later({ amount: 1 });
  const journal = `${namespace}.4.journal.account.bob`;
  const timer = `${namespace}.4.timer.account.bob.soon`;
  const attempts: Readonly<Record<string, string>>[] = [
    { "Nats-Rollup": "all" },
    { "Nats-Rollup": "sub" },
    { "Nats-Schedule": "@at 2020-01-01T00:00:00Z", "Nats-Schedule-Target": journal },
    { "Nats-Schedule": "@every 1s", "Nats-Schedule-Target": journal },
    { "Nats-Schedule-Next": "purge", "Nats-Scheduler": timer },
    { "Nats-TTL": "1s" },
    { "Nats-Marker-Reason": "Purge" },
    { "Nats-Batch-Id": "x", "Nats-Batch-Sequence": "1", "Nats-Batch-Commit": "1" },
    { "Troupe-Reply-To": journal },
    { "Troupe-Reply-To": `$JS.API.STREAM.PURGE.${namespace}-0` },
    { "Troupe-Timer": "soon", "Troupe-Sender": "account/bob" },
    { "Troupe-Topic": "anything", "Troupe-Id": "redrive:1" },
  ];
  for (const lines of attempts) await send(lines, '{"deposit":{"amount":1}}');
  await eve.request(`${namespace}.agent.account.eve`, '{"deposit":{"amount":1}}');
  await expect.poll(() => bob.deposit({ amount: 0 }), { timeout: 10_000 }).toBe(101);
  expect(await operator.agent(account, "bob").deposit({ amount: 99 })).toBe(200);
});

test("the server's acknowledgement goes nowhere that is ours, whatever reply subject she names", async () => {
  await work();
  expect(await operator.agent(account, "bob").deposit({ amount: 100 })).toBe(100);
  const count = await counterOf(await reader(), namespace);
  const inner = ["4.journal.account.bob", "0.taken", "0.unroutable", "1.in.agent.account.bob"];
  const other = [
    "control.floor.account.1",
    "control.snapshot.account.bob",
    "presence",
    "cancelled",
  ];
  const before = await Promise.all(inner.slice(0, 1).map(count));
  for (const subject of [...inner, ...other]) {
    const reply = `${namespace}.${subject}`;
    eve.publish(`${namespace}.agent.account.eve`, '{"deposit":{"amount":1}}', { reply });
  }
  const reply = `$JS.API.STREAM.PURGE.${namespace}-0`;
  eve.publish(`${namespace}.agent.account.eve`, '{"deposit":{"amount":1}}', { reply });
  await eve.request(`${namespace}.agent.account.eve`, '{"deposit":{"amount":1}}');
  const eves = (): Promise<number> => operator.agent(account, "eve").deposit({ amount: 0 });
  await expect.poll(eves, { timeout: 10_000 }).toBe(inner.length + other.length + 2);
  expect(await Promise.all(inner.slice(0, 1).map(count))).toEqual(before);
  expect(await Promise.all(inner.slice(2).map(count))).toEqual([0, 0]);
  expect(await operator.agent(account, "bob").deposit({ amount: 1 })).toBe(101);
});

test("she cannot resume who is parked, by a header, in the payload, or by an operator's redrive", async () => {
  await work();
  const parked = (): Promise<unknown> => operator.agent(account, "eve").deposit({ amount: 1 });
  await operator.send(account, "eve").shaky({});
  await expect
    .poll(() => parked().catch((error: unknown) => (error as { code: string }).code))
    .toBe("agent-parked");
  await send({ "Troupe-Message": "~resume" }, "{}");
  await send({ "Troupe-Message": "~resume", "Content-Type": "application/msgpack" }, "\u0080");
  await send({}, '{"~resume":{"skip":true}}');
  await expect
    .poll(async () => (await letters()).map(({ failure }) => failure.code))
    .toEqual(["agent-parked", "foreign-message", "foreign-message"]);
  // An operator who sends her message again does not lend her his word.
  const foreign = { kind: "agent", name: "account", key: "eve" } as const;
  const original = {
    position: 1,
    address: foreign,
    metadata: { foreign: true, message: "~resume", contentType: "application/msgpack" } as const,
    payload: encodePayload({ skip: true }),
    acceptedAtMs: 0,
  };
  await operator.log.accept(
    redriveDraft({ position: 1, agent: { type: "account", key: "eve" }, original }),
  );
  await expect(parked()).rejects.toMatchObject({ code: "agent-parked" });
});

test("whoever she says she is, her message has no sender", async () => {
  await work();
  const lines = { "Troupe-Sender": "bank/main", "Troupe-Callers": "account/eve" };
  await send({ ...lines, "Troupe-Deadline": "1" }, '{"sender":{}}');
  await expect.poll(() => senders).toEqual([undefined]);
});

test("one unreadable floor of anybody's stops no worker, and is told", async () => {
  bare = await dial(guarded.as("worker", namespace));
  await bare.request(`${namespace}.control.floor.forgotten.1`, "garbage");
  await bare.request(`${namespace}.control.floor.account.1`, '{"type":"account"}');
  const faults: string[] = [];
  worker.inspect((event) => {
    if (event.kind === "fault") faults.push(event.failure.code);
  });
  await work();
  expect(await operator.agent(account, "alice").deposit({ amount: 5 })).toBe(5);
  expect(faults).toEqual(["unreadable-record", "unreadable-record"]);
});
