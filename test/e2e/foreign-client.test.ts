/**
 * Any NATS client can publish, and nothing it publishes harms anybody (I10), under the users that
 * are shipped (infra/nats/users.conf).
 */
import { connect as dial, headers, type NatsConnection } from "@nats-io/transport-node";
import { agent, topic, type Agent, type Troupe } from "@troupe/core";
import type { DeadLetter } from "@troupe/core/log";
import { connect } from "@troupe/jetstream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";

import {
  startGuardedServer,
  type GuardedServer,
} from "../../packages/jetstream/src/guarded-server.ts";
import { readStream } from "./raw-stream.ts";

const visits = topic("visits", z.object({ n: z.int() }));
type Seen = Agent<
  { readonly numbers: readonly number[] },
  { readonly saw: { readonly n: number } },
  {
    readonly note: {
      readonly input: { readonly n: number; readonly filling?: string | undefined };
      readonly reply: number;
    };
  }
>;

/** Remembers the numbers it sees, told by the topic or directly. */
function observer(type: string): Seen {
  return agent(type)
    .state<{ readonly numbers: readonly number[] }>({ numbers: [] })
    .event("saw", z.object({ n: z.int() }), ({ numbers }, { n }) => ({ numbers: [...numbers, n] }))
    .on("note", z.object({ n: z.int(), filling: z.string().optional() }), (context, { n }) => {
      context.emit.saw({ n });
      return context.state.numbers.length;
    })
    .subscribe(visits, (context, { n }) => context.emit.saw({ n }));
}

const [guard, clerk] = [observer("guard"), observer("clerk")];
const messageBytesMax = 20_000;
const timeout = 5000;
const manyKeys = Array.from({ length: 15 }, (_, i) => `key-${i}`);
const namespaces = Array.from({ length: 40 }, (_, i) => `foreign-${i + 1}`);
let guarded: GuardedServer;
let client: NatsConnection;
let troupe: Troupe;
let namespace: string;
let lastNamespace = 0;

beforeAll(async () => {
  guarded = await startGuardedServer(namespaces);
});
afterAll(() => guarded[Symbol.asyncDispose]());
beforeEach(async () => {
  namespace = `foreign-${++lastNamespace}`;
  const operator = await connect({ ...guarded.as("operator", namespace), namespace });
  await operator.close();
  client = await dial({ ...guarded.as("publisher", namespace), noAsyncTraces: true });
  troupe = await connect({ ...guarded.as("worker", namespace), namespace });
  await troupe.work([guard, clerk], { messageBytesMax, timings: { joinDelayMs: 10 } });
});
afterEach(async () => {
  await client.close();
  await troupe.close();
});

/** As `nats req` does. Resolves with the broker's own answer. */
async function publish(subject: string, payload: string | Uint8Array): Promise<unknown> {
  return (await client.request(`${namespace}.${subject}`, payload)).json();
}

const numbersOf = async (type: string, key: string): Promise<number[]> => {
  const numbers: number[] = [];
  for await (const { record } of troupe.turns(type, key)) {
    for (const { data } of record.events) numbers.push((data as { readonly n: number }).n);
  }
  return numbers;
};

describe("plain JSON without headers", () => {
  test("on a topic reaches every subscribed type, in order per key", async () => {
    const keys = ["alice", "größe", "a b", "日本語", "x@example%2Ecom", ...manyKeys];
    const numbers = Array.from({ length: 60 }, (_, n) => n);
    for (const n of numbers) {
      for (const key of keys) {
        client.publish(`${namespace}.topic.visits.${key.replace(" ", "%20")}`, `{"n":${n}}`);
      }
    }
    await client.flush();
    for (const key of keys.map((token) => token.replace("%2E", "."))) {
      for (const type of ["guard", "clerk"]) {
        await expect.poll(() => numbersOf(type, key), { timeout: 20_000 }).toEqual(numbers);
      }
    }
  });

  test("on an agent's subject reaches that agent, and names its message itself", async () => {
    const acknowledged = await publish("agent.guard.alice", '{"note":{"n":5}}');
    expect(acknowledged).toEqual({ stream: `${namespace}-ingress`, seq: 1 });
    await expect.poll(() => numbersOf("guard", "alice")).toEqual([5]);
    expect(await numbersOf("clerk", "alice")).toEqual([]);
  });

  test("may name its message in a header instead", async () => {
    const named = headers();
    named.set("Troupe-Message", "note");
    await client.request(`${namespace}.agent.guard.alice`, '{"n":6}', { headers: named, timeout });
    await expect.poll(() => numbersOf("guard", "alice")).toEqual([6]);
  });

  test("is acknowledged as a duplicate when its id was there before", async () => {
    const identified = headers();
    identified.set("Nats-Msg-Id", "visit-1");
    const subject = `${namespace}.topic.visits.alice`;
    const first = await client.request(subject, '{"n":1}', { headers: identified, timeout });
    const again = await client.request(subject, '{"n":1}', { headers: identified, timeout });
    expect(first.json()).toEqual({ stream: `${namespace}-ingress`, seq: 1 });
    expect(again.json()).toMatchObject({ seq: 1, duplicate: true });
    await publish("topic.visits.alice", '{"n":2}');
    await expect.poll(() => numbersOf("guard", "alice")).toEqual([1, 2]);
  });
});

interface Bad {
  readonly what: string;
  readonly subject: string;
  readonly payload: string | Uint8Array;
  /** Subject of its dead letter, below the shard; `#` stands for the input's position. */
  readonly dead: string;
  readonly code: string;
  readonly says: RegExp;
  readonly agent?: string;
}

const big = "x".repeat(messageBytesMax);
const ofAlice = {
  subject: "agent.guard.alice",
  dead: "7.dead.guard.alice",
  agent: "alice",
} as const;

const bad: readonly Bad[] = [
  {
    ...ofAlice,
    what: "invalid JSON",
    payload: '{"note":{"n":',
    code: "undecodable-payload",
    says: /not valid application\/json/,
  },
  {
    ...ofAlice,
    what: "bytes that are no text",
    payload: Uint8Array.of(0xff, 0xfe, 0x00, 0x80),
    code: "undecodable-payload",
    says: /not valid application\/json/,
  },
  {
    ...ofAlice,
    what: "nothing at all",
    payload: "",
    code: "undecodable-payload",
    says: /does not name its message|not valid application\/json/,
  },
  {
    ...ofAlice,
    what: "JSON that names no message",
    payload: '[{"note":{"n":1}}]',
    code: "undecodable-payload",
    says: /does not name its message/,
  },
  {
    ...ofAlice,
    what: "a message the agent does not handle",
    payload: '{"toString":{}}',
    code: "unknown-message",
    says: /handles no message "toString"; it handles: note/,
  },
  {
    ...ofAlice,
    what: "a wrong schema",
    payload: '{"note":{"n":"many"}}',
    code: "schema",
    says: /message note does not fit its schema: n: /,
  },
  {
    ...ofAlice,
    what: "an oversized payload",
    payload: `{"note":{"n":1,"filling":"${big}"}}`,
    code: "payload-too-large",
    says: /has 20\d\d\d bytes, the limit is 20000/,
  },
  {
    what: "a badly escaped key",
    subject: "agent.guard.alice%2",
    payload: '{"note":{"n":1}}',
    dead: "0.dead.#",
    code: "invalid-key",
    says: /its percent-encoding is broken/,
  },
  {
    what: "a key in another spelling",
    subject: "topic.visits.%61lice",
    payload: '{"n":1}',
    dead: "0.dead.#",
    code: "invalid-key",
    says: /write it as alice/,
  },
  {
    what: "too many tokens",
    subject: "topic.visits.alice.bob",
    payload: '{"n":1}',
    dead: "0.dead.#",
    code: "invalid-key",
    says: /dots in the last part written as %2E/,
  },
  {
    what: "a missing key",
    subject: "topic.visits",
    payload: '{"n":1}',
    dead: "0.dead.#",
    code: "invalid-key",
    says: /is not an address/,
  },
];

describe("bad input costs one dead letter", () => {
  test.for(bad)("$what", async ({ agent: key, code, dead, payload, says, subject }) => {
    await publish("agent.guard.alice", '{"note":{"n":1}}');
    await publish("agent.guard.bob", '{"note":{"n":1}}');
    const { seq } = (await publish(subject, payload)) as { readonly seq: number };
    await publish("agent.guard.alice", '{"note":{"n":2}}');
    await publish("agent.guard.bob", '{"note":{"n":2}}');
    await publish("topic.visits.alice", '{"n":3}');
    await expect.poll(() => numbersOf("guard", "alice")).toEqual([1, 2, 3]);
    await expect.poll(() => numbersOf("guard", "bob")).toEqual([1, 2]);
    await expect.poll(() => numbersOf("clerk", "alice")).toEqual([3]);

    const letters = await followedLetters();
    expect(letters).toHaveLength(1);
    const inputPosition = letters[0]?.inputPosition ?? 0;
    expect(letters[0]).toMatchObject({
      agent: key === undefined ? undefined : { type: "guard", key },
      attempts: 0,
      failure: { code, message: expect.stringMatching(says) as unknown, retryable: false },
    });
    const original = Buffer.from(payload);
    expect(Buffer.from(letters[0]?.payload ?? "missing")).toEqual(original);

    const subjectOfIt = `${namespace}.${dead.replace("#", String(inputPosition))}`;
    const operator = await dial(guarded.as("operator", namespace));
    const read = await operator.request(
      `$JS.API.DIRECT.GET.${namespace}-0`,
      JSON.stringify({ last_by_subj: subjectOfIt }),
    );
    await operator.close();
    expect(read.headers?.get("Troupe-Dead-Position")).toBe(String(inputPosition));
    expect(await ingressSequence(inputPosition)).toBe(seq);
    expect(JSON.parse(read.headers?.get("Troupe-Dead-Failure") ?? "")).toMatchObject({ code });
    expect(Buffer.from(read.data)).toEqual(original.length === 0 ? Buffer.from("-") : original);
    const { deadLetters } = await readStream(guarded.as("operator", namespace), namespace);
    expect(deadLetters).toHaveLength(1);
  });

  test("for every agent that it was meant for", async () => {
    await publish("topic.visits.alice", '{"n":"many"}');
    await publish("topic.visits.alice", '{"n":2}');
    await expect.poll(() => numbersOf("guard", "alice")).toEqual([2]);
    await expect.poll(() => numbersOf("clerk", "alice")).toEqual([2]);
    const letters = await followedLetters();
    const types = letters.map((letter) => letter.agent?.type);
    expect(new Set(types)).toEqual(new Set(["clerk", "guard"]));
    expect(letters.map(({ inputPosition }) => inputPosition)).toEqual([1, 1]);
  });

  test("also when nothing larger fits into the log; what is larger is refused at once", async () => {
    const largest = troupe.log.limits.payloadBytesMax;
    const refused = await publish("agent.guard.alice", Buffer.alloc(largest + 1, "x"));
    expect(refused).toMatchObject({ error: { description: /message size exceeds/ } });
    await publish("agent.guard.alice", Buffer.alloc(largest, "x"));
    await publish("agent.guard.alice", '{"note":{"n":2}}');
    await expect.poll(() => numbersOf("guard", "alice")).toEqual([2]);
    const letters = await followedLetters();
    expect(letters).toMatchObject([{ failure: { code: "payload-too-large" } }]);
    const input = await troupe.log.input(letters[0]?.inputPosition ?? 0);
    expect(input?.payload.byteLength).toBe(largest);
  });

  test("hundreds of them do not hold up anybody", async () => {
    const subjects = bad.map(({ subject }) => subject);
    for (let i = 0; i < 300; i++) {
      const { payload = "" } = bad[i % bad.length] ?? {};
      client.publish(`${namespace}.${subjects[i % subjects.length]}`, payload);
      client.publish(`${namespace}.topic.visits.carol`, `{"n":${i}}`);
    }
    const numbers = Array.from({ length: 300 }, (_, n) => n);
    await expect.poll(() => numbersOf("guard", "carol"), { timeout: 10_000 }).toEqual(numbers);
    const letters = async (): Promise<number> => (await followedLetters()).length;
    await expect.poll(letters, { timeout: 10_000, interval: 200 }).toBe(300);
  });
});

/** Sequence in the ingress of the message at this position of the log. */
async function ingressSequence(position: number): Promise<number> {
  const { inputs, unroutable } = await readStream(guarded.as("operator", namespace), namespace);
  const found = [...inputs, ...unroutable].find((input) => input.position === position);
  return Number(found?.headers?.get("Troupe-Foreign"));
}

/** Every dead letter, as people see them with `follow`. */
async function followedLetters(): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const entry of troupe.follow({ from: 1, untilNow: true })) {
    if (entry.kind === "dead-letter") letters.push(entry.deadLetter);
  }
  return letters;
}
