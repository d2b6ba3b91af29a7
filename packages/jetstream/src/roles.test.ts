/** The users of infra/nats/users.conf: each can do what its role is for, and nothing else (I14). */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { connect as dial, headers, type NatsConnection } from "@nats-io/transport-node";
import {
  agent,
  limit,
  memoryModel,
  memorySink,
  personal,
  projection,
  Reject,
  topic,
  type Troupe,
} from "@troupe/core";
import { resumeDraft } from "@troupe/core/operate";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { startGuardedServer, type GuardedServer, type Role } from "./guarded-server.ts";
import { connect } from "./index.ts";
import { findNatsServer } from "./server/index.ts";

const namespace = "acme.desk";
const amounts = topic("amounts", z.object({ amount: z.number() }));
const tokens = limit("tokens", { concurrency: 2 });
const account = agent("account")
  .state({ balance: 0 })
  .event("added", z.object({ amount: z.number() }), ({ balance }, { amount }) => ({
    balance: balance + amount,
  }))
  .on("deposit", z.object({ amount: z.number() }), async (context, { amount }) => {
    if (amount < 0) throw new Reject("negative");
    await context.step("charge", () => amount, { limit: tokens });
    context.emit.added({ amount });
    return context.state.balance;
  })
  .on("later", z.object({ amount: z.number() }), (context, { amount }) => {
    context.after(1).deposit({ amount });
    context.publish(amounts, context.agent.key, { amount });
  })
  .on("shaky", z.object({}), () => {
    throw new Error("not now");
  })
  .subscribe(amounts, (context, { amount }) => context.emit.added({ amount }));

let guarded: GuardedServer;
let closing: (() => Promise<unknown>)[] = [];
/** Operations that any of the connections was not allowed. */
let denied: string[] = [];

beforeAll(async () => {
  guarded = await startGuardedServer([namespace]);
});
afterEach(async () => {
  await Promise.all(closing.map((close) => close()));
  closing = [];
  denied = [];
});
afterAll(() => guarded[Symbol.asyncDispose]());

async function join(role: Role): Promise<Troupe> {
  const troupe = await connect({ ...guarded.as(role, namespace), namespace, onFault: false });
  closing.push(() => troupe.close());
  troupe.inspect((event) => {
    if (event.kind === "fault") denied.push(`${role}: ${event.failure.message}`);
  });
  return troupe;
}

/** A client that knows nothing of Troupe. */
async function bare(role: Role): Promise<NatsConnection> {
  const client = await dial({ ...guarded.as(role, namespace), noAsyncTraces: true });
  closing.push(() => client.close());
  return client;
}

/** An operator made the streams, and a worker runs. */
async function working(): Promise<{ readonly operator: Troupe; readonly worker: Troupe }> {
  const operator = await join("operator");
  const worker = await join("worker");
  const retry = { attemptsMax: 1, exhausted: "park" } as const;
  await worker.work(account, { retry, timings: { joinDelayMs: 10 } });
  return { operator, worker };
}

test("a worker handles, an asker asks, sends and publishes, and nothing is denied", async () => {
  await working();
  const asker = await join("asker");
  const alice = asker.agent(account, "alice");
  expect(await alice.deposit({ amount: 5 })).toBe(5);
  await asker.send(account, "alice").later({ amount: 1 });
  await asker.publish(amounts, "alice", { amount: 10 });
  await expect.poll(() => alice.deposit({ amount: 0 })).toBe(17);
  await expect(alice.deposit({ amount: -1 })).rejects.toThrow("negative");
  const given = alice.deposit({ amount: 0 });
  await given;
  expect(denied).toEqual([]);
});

test("a foreign client asks with a reply address of its own, and hears the answer", async () => {
  await working();
  const client = await bare("publisher");
  const said = headers();
  const address = `${namespace}.reply.publisher.one`;
  said.set("Troupe-Reply-To", address);
  const replies = client.subscribe(address, { max: 1 });
  const subject = `${namespace}.agent.account.python`;
  const stored = await client.request(subject, '{"deposit":{"amount":3}}', {
    headers: said,
    timeout: 5000,
  });
  expect(stored.json()).toMatchObject({ stream: "acme_desk-ingress" });
  for await (const reply of replies) expect([...reply.data]).toEqual([0x91, 3]);
  expect(denied).toEqual([]);
});

test("an operator looks, redrives, drops and resumes, and nothing is denied", async () => {
  const { operator } = await working();
  await operator.send(account, "bob").deposit({ amount: -1 });
  await operator.send(account, "carol").shaky({});
  const letters = async (): Promise<{ readonly position: number; readonly code: string }[]> => {
    const found: { readonly position: number; readonly code: string }[] = [];
    const request = {
      from: 1,
      untilNow: true,
      kinds: ["dead-letter"],
      types: ["account"],
    } as const;
    for await (const entry of operator.follow(request)) {
      if (entry.kind !== "dead-letter") continue;
      const { failure, agent: of } = entry.deadLetter;
      if (of?.key === "bob" || of?.key === "carol")
        found.push({ position: entry.position, code: failure.code });
    }
    return found;
  };
  await expect
    .poll(async () => (await letters()).map(({ code }) => code).toSorted())
    .toEqual(["agent-parked", "rejected"]);
  await operator.log.accept(resumeDraft({ type: "account", key: "carol" }, { skip: true }));
  for (const { position } of await letters()) {
    expect(await operator.log.removeDeadLetter(position)).toBe(true);
  }
  expect(await operator.agent(account, "carol").deposit({ amount: 2 })).toBe(2);
  expect(denied.filter((fault) => !fault.includes("not now"))).toEqual([]);
});

test("an eraser erases an agent and a key, and nothing is denied", async () => {
  const { worker } = await working();
  await worker.agent(account, "emil").deposit({ amount: 5 });
  const eraser = await join("eraser");
  const { done, parts } = await eraser.erase(account, "emil");
  expect(done).toBe(true);
  expect(parts).toContainEqual(expect.objectContaining({ part: "messages", count: 1 }));
  expect(await eraser.eraseKey("account/emil")).toBe(false);
  expect(await worker.agent(account, "emil").deposit({ amount: 1 })).toBe(1);
  const reading = (await join("operator")).erase(account, "emil");
  await expect(reading).rejects.toMatchObject({ code: "permission-denied" });
  expect(denied.filter((fault) => !fault.startsWith("operator"))).toEqual([]);
});

test("an asker and a worker seal, a projection opens, and nothing is denied", async () => {
  const note = personal(z.object({ text: z.string() }), { fields: { text: "(erased)" } });
  const diary = agent("diary")
    .event("noted", note, (state) => state)
    .on("note", note, (context, message) => context.emit.noted(message));
  const { worker } = await working();
  await worker.work(diary);
  await (await join("asker")).agent(diary, "emil").note({ text: "secret" });
  const texts = memoryModel(() => new Map<string, string>());
  const notes = projection("notes", texts).on(diary, "noted", (model, { text }, info) => {
    model.set(info.agent.key, text);
  });
  const reader = await join("projection");
  const sink = memorySink();
  const running = await reader.project(notes, sink);
  await running.caughtUp();
  expect(sink.read(notes).get("emil")).toBe("secret");
  await running.stop();
  expect(denied).toEqual([]);
});

test("a projection reads the log, and nothing is denied", async () => {
  const { worker } = await working();
  await worker.agent(account, "dora").deposit({ amount: 5 });
  const emptyModel = memoryModel(() => new Map<string, number>());
  const totals = projection("totals", emptyModel).on(account, "added", (model, event, info) => {
    model.set(info.agent.key, (model.get(info.agent.key) ?? 0) + event.amount);
  });
  const reader = await join("projection");
  const sink = memorySink();
  const running = await reader.project(totals, sink);
  await running.caughtUp();
  expect(sink.read(totals).get("dora")).toBe(5);
  await running.stop();
  expect(denied).toEqual([]);
});

/** Subjects that each role must not use, beside those that only others may. */
const internal = [
  "acme.desk.4.journal.account.bob",
  "acme.desk.4.dead.account.bob",
  "acme.desk.4.timer.account.bob.x.y",
  "acme.desk.0.taken",
  "acme.desk.0.unroutable",
  "acme.desk.control.floor.account.1",
  "acme.desk.control.snapshot.account.bob",
  "acme.desk.control.cell.limit/tokens",
  "acme.desk.presence",
  "acme.desk.cell.limit/tokens",
  "_INBOX.worker.x.ack.1",
  "_INBOX.asker.x.reply.1",
  "$JS.API.STREAM.PURGE.acme_desk-0",
  "$JS.API.STREAM.DELETE.acme_desk-0",
  "$JS.API.STREAM.UPDATE.acme_desk-0",
  "$JS.API.STREAM.PURGE.acme_desk-control",
  "$JS.API.STREAM.SNAPSHOT.acme_desk-0",
  "$JS.API.STREAM.CREATE.thief",
  "$JS.API.CONSUMER.CREATE.acme_desk-control.x",
  "$JS.API.META.LEADER.STEPDOWN",
];
const ofOurs = [
  "acme.desk.1.in.agent.account.bob",
  "acme.desk.cancelled",
  "acme.desk.presence.worker-1",
  "acme.desk.reply.publisher.x",
  "acme.desk.control.manifest.account",
  "$JS.API.STREAM.MSG.DELETE.acme_desk-0",
  "$JS.API.STREAM.MSG.GET.acme_desk-0",
  "$JS.API.DIRECT.GET.acme_desk-0",
  "$JS.API.STREAM.INFO.acme_desk-0",
  "$JS.API.STREAM.INFO.acme_desk-ingress",
  "$JS.API.CONSUMER.CREATE.acme_desk-0.x",
  "$JS.API.CONSUMER.CREATE.acme_desk-ingress.x",
];
const deaf = [
  ">",
  "acme.desk.>",
  "acme.desk.0.>",
  "acme.desk.presence",
  "acme.desk.cancelled",
  "acme.desk.reply.>",
  "acme.desk.reply.somebody.else",
  "_INBOX.>",
  "_INBOX.worker.>",
  "$JS.EVENT.>",
];
const only: Readonly<Record<Exclude<Role, "eraser">, readonly string[]>> = {
  publisher: [...internal, ...ofOurs],
  asker: [...internal, ...ofOurs.slice(2, 6), ...ofOurs.slice(-2)],
  operator: [...internal, "$JS.API.STREAM.PURGE.acme_desk-ingress"],
  projection: [...internal, ...ofOurs.slice(0, 6), "acme.desk.agent.account.bob"],
  // It purges what retention lets go.
  worker: internal.filter(
    (subject) => /STREAM|META/.test(subject) && !subject.endsWith("PURGE.acme_desk-0"),
  ),
};

test.for(Object.entries(only))(
  "the %s may not publish to what others own",
  async ([role, list]) => {
    const client = await bare(role as Role);
    expect(await violations(client, (subject) => client.publish(subject, "x"), list)).toEqual(list);
  },
);

test.for(["publisher", "asker", "operator", "projection"] as const)(
  "the %s may not listen to what others hear",
  async (role) => {
    const client = await bare(role);
    const own = role === "operator" ? deaf.filter((name) => name !== "acme.desk.presence") : deaf;
    const listen = (subject: string): void => void client.subscribe(subject, { callback() {} });
    expect(await violations(client, listen, own)).toEqual(own);
  },
);

/** The subjects for which the server refused it, in the order tried. */
async function violations(
  client: NatsConnection,
  act: (subject: string) => void,
  subjects: readonly string[],
): Promise<readonly string[]> {
  const refused: string[] = [];
  void (async () => {
    for await (const status of client.status()) {
      if (status.type === "error")
        refused.push(/ to "(\S+)"/.exec(status.error.message)?.[1] ?? "");
    }
  })();
  for (const subject of subjects) act(subject);
  await client.flush();
  await expect.poll(() => refused.length).toBe(subjects.length);
  return refused;
}

test("who lacks a right is told which, at once, and stays connected", async () => {
  await working();
  const reader = await join("projection");
  const sending = reader.send(account, "alice").deposit({ amount: 1 });
  await expect(sending).rejects.toMatchObject({
    code: "permission-denied",
    message: expect.stringMatching(/may not publish to acme\.desk\.7\.in\./) as string,
  });
  const stranger = agent("stranger").on("ping", z.object({}), () => "pong");
  await expect(reader.work(stranger)).rejects.toMatchObject({ code: "permission-denied" });
  expect(await reader.log.journal({ type: "account", key: "nobody" }, 0)).toEqual([]);
});

test("an inbox that the user may not hear is told when it connects", async () => {
  const wrong = { ...guarded.as("asker", namespace), inboxPrefix: "_INBOX.other" };
  const connecting = connect({ ...wrong, namespace });
  await expect(connecting).rejects.toMatchObject({ code: "access-denied" });
  await expect(connect({ ...wrong, namespace, inboxPrefix: "replies" })).rejects.toThrow("_INBOX");
});

test("the shipped server configuration is one that nats-server takes", async () => {
  const { path } = await findNatsServer();
  const file = new URL("../../../infra/nats/server.conf", import.meta.url).pathname;
  const roles = ["PUBLISHER", "ASKER", "WORKER", "OPERATOR", "ERASER", "PROJECTION"];
  const env = Object.fromEntries(roles.map((role) => [`TROUPE_${role}_PASSWORD`, `of-${role}`]));
  const { stderr } = await promisify(execFile)(path, ["-t", "-c", file], { env });
  expect(stderr).toMatch(/configuration file .* is valid/);
});
