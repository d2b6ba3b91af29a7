/**
 * Two versions of the code at once: a book whose newer code knows more messages, an event in a new
 * version, and one more topic, and sends to a shelf what only the shelf's newer code knows. Workers
 * of all versions run side by side, roll forward, and roll back in the middle of everything.
 * Whatever newer code knows waits for it, in the order of its key, also while the book is parked:
 * nothing is lost, doubled or dead-lettered.
 */
import assert from "node:assert/strict";

import type { Troupe } from "@troupe/core";
import { agent, topic } from "@troupe/core";
import { AgentParkedError, AskDeadlineError, UnknownMessageError } from "@troupe/core/errors";
import { resumeDraft } from "@troupe/core/operate";
import type { Chance, History, Stage, System } from "@troupe/testing";
import { z } from "zod";

const line = z.object({ id: z.string() });
const orders = topic("orders", line);
const refunds = topic("refunds", line);

type Ids = { readonly ids: readonly string[] };

function withId({ ids }: Ids, { id }: { readonly id: string }): Ids {
  return { ids: [...ids, id] };
}

const none: Ids = { ids: [] };

/** The books of the run that is going on; runs follow one another. */
const books = { repaired: false };

/** Parks the book until it is repaired. */
const parks = { retry: { attemptsMax: 1, exhausted: "park" } } as const;

function jam(id: string): string {
  if (books.repaired) return id;
  throw new Error(`${id} jams`);
}

const shelf1 = agent("shelf")
  .state(none)
  .event("stored", line, withId)
  .on("store", line, (ctx, { id }) => ctx.emit.stored({ id }));

const shelf3 = shelf1.on("file", line, (ctx, { id }) => ctx.emit.stored({ id }));

const book1 = agent("book")
  .state(none)
  .event("noted", line, withId)
  .on("note", line, (ctx, { id }) => {
    ctx.emit.noted({ id });
    ctx.send(shelf1, ctx.agent.key).store({ id });
  })
  .on(
    "jam",
    line,
    (ctx, { id }) => {
      ctx.emit.noted({ id: jam(id) });
      ctx.send(shelf1, ctx.agent.key).store({ id });
    },
    parks,
  )
  .on("count", z.object({}), (ctx) => ctx.state.ids.length)
  .subscribe(orders, async (ctx, { id }) => {
    await Promise.resolve();
    ctx.emit.noted({ id });
    ctx.send(shelf1, ctx.agent.key).store({ id });
  });

/** The event says more, and there is one more message. */
const book2 = agent("book")
  .state(none)
  .event("noted", z.object({ id: z.string(), by: z.string() }), withId, {
    version: 2,
    upcast: { 1: (data) => ({ ...(data as { readonly id: string }), by: "version 1" }) },
  })
  .on("note", line, (ctx, { id }) => {
    ctx.emit.noted({ id, by: "version 2" });
    ctx.send(shelf1, ctx.agent.key).store({ id });
  })
  .on(
    "jam",
    line,
    (ctx, { id }) => {
      ctx.emit.noted({ id: jam(id), by: "version 2" });
      ctx.send(shelf1, ctx.agent.key).store({ id });
    },
    parks,
  )
  .on("count", z.object({}), (ctx) => ctx.state.ids.length)
  .on("split", line, async (ctx, { id }) => {
    await Promise.resolve();
    ctx.emit.noted({ id, by: "version 2" });
    ctx.send(shelf1, ctx.agent.key).store({ id });
  })
  .subscribe(orders, (ctx, { id }) => {
    ctx.emit.noted({ id, by: "version 2" });
    ctx.send(shelf1, ctx.agent.key).store({ id });
  });

/** There is one more topic, and what is sent to the shelf is new to it. */
const book3 = book2
  .on("join", line, (ctx, { id }) => {
    ctx.emit.noted({ id, by: "version 3" });
    ctx.send(shelf3, ctx.agent.key).file({ id });
  })
  .subscribe(refunds, (ctx, { id }) => {
    ctx.emit.noted({ id, by: "version 3" });
    ctx.send(shelf3, ctx.agent.key).file({ id });
  });

const keys = ["one", "two", "three"] as const;
/** Rounds after which every book runs, with time to spare. */
const roundsMax = 60;

export const versions: System = {
  name: "versions",
  agents: [book3, shelf3],
  earlier: [
    [book1, shelf1],
    [book2, shelf1],
  ],
  workers: 3,
  faults: { deploy: 8 },
  drive: async (client, stage) => {
    books.repaired = false;
    const withinMs = stage.chance.pick([500, 5000, 20_000]);
    await stage.times(24, (index, chance) => write(client, stage, `line-${index}`, chance), {
      withinMs,
    });
    books.repaired = true;
    for (let round = 0; round < roundsMax; round++) {
      await Promise.all(keys.map((key) => resume(client, key)));
      const running = await Promise.all(keys.map((key) => isRunning(client, key)));
      if (running.every(Boolean)) break;
      await stage.wait(500);
    }
  },
  check: (history) => {
    for (const key of keys) checkKey(history, key);
    // Who asked whether a book runs gave up meanwhile.
    const codes = history.deadLetters.map(({ failure }) => failure.code);
    assert.deepEqual(
      codes.filter((code) => !["agent-parked", "deadline-passed"].includes(code)),
      [],
    );
  },
};

async function write(client: Troupe, stage: Stage, id: string, chance: Chance): Promise<void> {
  const key = chance.pick(keys);
  const book = client.send(book3, key);
  switch (chance.between(0, 8)) {
    case 0:
      return void (await client.publish(orders, key, { id }));
    case 1:
      return void (await client.publish(refunds, key, { id }));
    case 2:
      return void (await book.split({ id }).catch(unlessUnknown));
    case 3:
      return void (await book.join({ id }).catch(unlessUnknown));
    case 4:
      return writeForeign(client, stage, key, id);
    case 5:
      return void (await (chance.happens(0.5) ? book.jam({ id }) : resume(client, key)));
    default:
      return void (await book.note({ id }));
  }
}

async function resume(client: Troupe, key: string): Promise<void> {
  await client.log.accept(resumeDraft({ type: "book", key }));
}

async function isRunning(client: Troupe, key: string): Promise<boolean> {
  try {
    await client.agent(book3, key, { timeoutMs: 5000 }).count({});
    return true;
  } catch (thrown) {
    if (thrown instanceof AgentParkedError || thrown instanceof AskDeadlineError) return false;
    throw thrown;
  }
}

/** A stranger's message names itself in its payload, and may be new to old code like any other. */
async function writeForeign(client: Troupe, stage: Stage, key: string, id: string): Promise<void> {
  const known = (await client.log.manifest("book"))?.messages ?? [];
  const name = known.includes("join") ? "join" : "note";
  const payload = new TextEncoder().encode(JSON.stringify({ [name]: { id } }));
  stage.broker.publishForeign("agent", "book", key, payload);
}

/** No code that handles it was ever deployed: nothing was sent. */
function unlessUnknown(thrown: unknown): void {
  if (!(thrown instanceof UnknownMessageError)) throw thrown;
}

function checkKey(history: History, key: string): void {
  const noted: string[] = [];
  for (const { record } of history.turns(book3, key)) {
    if (record.message === "count") continue;
    assert.equal(record.failure, undefined, `turn ${record.turn} of ${key}`);
    const input = history.inputs.get(record.inputPosition);
    assert.ok(input !== undefined);
    const payload = history.payload(input) as Readonly<Record<string, { readonly id: string }>>;
    const foreign = payload["join"] ?? payload["note"];
    noted.push(line.parse(foreign ?? payload).id);
  }
  assert.deepEqual(history.state(book3, key).ids, noted, `what is in the book of ${key}`);
  assert.equal(new Set(noted).size, noted.length, `what is in the book of ${key} twice`);
  assert.deepEqual(history.state(shelf3, key).ids, noted, `what is on the shelf of ${key}`);
}
