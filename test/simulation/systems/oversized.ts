/**
 * Turns that do not fit: whose message, event, events, reply, step, sending or timer is larger than
 * the log takes, or who send more than one commit can hold, beside small ones of the same agents
 * and of others, also among parallel steps and in batches. The large one fails by its name;
 * everybody else is handled, in order, and what a turn stores is there as a whole.
 */
import assert from "node:assert/strict";

import type { Context, StepInfo } from "@troupe/core";
import { agent, Reject } from "@troupe/core";
import { StepTooLargeError } from "@troupe/core/errors";
import type { Chance, History, Stage, System } from "@troupe/testing";
import { z } from "zod";

/** Size that the log takes in one message, and the number of messages in one commit. */
const payloadBytesMax = 24_000;
const commitMessagesMax = 8;
const eventBytesMax = 12_000;
const messageBytesMax = 20_000;

/** Ending of each kind of parcel: undefined is packed, others fail by this code. */
const ends = {
  small: undefined,
  "as many messages as fit": undefined,
  "steps that fit alone": undefined,
  "large step beside small ones": undefined,
  "large parcel": "payload-too-large",
  "large event": "event-too-large",
  "many events": "turn-too-large",
  "large reply": "turn-too-large",
  "large step": "step-too-large",
  "large message": "payload-too-large",
  "large ask": "payload-too-large",
  "large timer": "payload-too-large",
  "many messages": "turn-too-large",
  "large refusal": "rejected",
} as const;

type Kind = keyof typeof ends;
const kinds = Object.keys(ends) as [Kind, ...Kind[]];

const id = z.object({ id: z.string() });
const parcel = id.extend({ kind: z.enum(kinds), text: z.string() });
type Parcel = z.infer<typeof parcel>;
const packed = id.extend({ text: z.string() });

const text = (bytes: number): string => "o".repeat(bytes);
const large = text(30_000);

/** The stage of the run that is going on; runs follow one another. */
let current: Stage | undefined;

async function measured(bytes: number, step: StepInfo): Promise<string> {
  return `${await current?.effect(step)} ${text(bytes)}`;
}

/** The turns of one batch are under way together, so their effects have no order among them. */
async function measuredInBatch(bytes: number): Promise<string> {
  await current?.wait(bytes % 7);
  return text(bytes);
}

const label = agent("label")
  .state({ ids: [] as readonly string[] })
  .event("stuck", id, ({ ids }, event) => ({ ids: [...ids, event.id] }))
  .on("stick", packed, (ctx, message) => ctx.emit.stuck({ id: message.id }));

interface Packed {
  readonly packed: z.infer<typeof packed>;
}

/** Calls that a turn and an item of a batch have in common. */
type Packing = Pick<Context<unknown, Packed>, "after" | "agent" | "ask" | "emit" | "send" | "step">;

type Measure = (bytes: number, step: StepInfo) => Promise<string>;

/** Actions of a parcel beside packing, by its kind. */
const extras: Partial<Record<Kind, (ctx: Packing, name: string, measure: Measure) => unknown>> = {
  "as many messages as fit": (ctx, name) => stick(ctx, name, commitMessagesMax - 2, 8000),
  "steps that fit alone": async (ctx, name, measure) => {
    const steps = await stepsOf(ctx, measure, [8000, 9000, 10_000, 20_000]);
    assert.ok(
      steps.every(({ status }) => status === "fulfilled"),
      name,
    );
  },
  "large step beside small ones": async (ctx, name, measure) => {
    const [first, second, third] = await stepsOf(ctx, measure, [10, 30_000, 20_000]);
    assert.deepEqual([first?.status, third?.status], ["fulfilled", "fulfilled"], name);
    assert.ok(second?.status === "rejected" && second.reason instanceof StepTooLargeError, name);
  },
  "large event": (ctx, name) => ctx.emit.packed({ id: name, text: text(15_000) }),
  "many events": (ctx, name) => {
    for (let count = 0; count < 3; count++) ctx.emit.packed({ id: name, text: text(10_000) });
  },
  "large step": (ctx, _, measure) => ctx.step("measure", 30_000, measure),
  "large message": (ctx, name) => stick(ctx, name, 1, 30_000),
  "large ask": (ctx, name) => ctx.ask(label, "nobody").stick({ id: name, text: large }),
  "large timer": (ctx, name) =>
    ctx.after(10, { agent: label, key: ctx.agent.key }).stick({ id: name, text: large }),
  "many messages": (ctx, name) => stick(ctx, name, commitMessagesMax, 10),
  "large refusal": () => {
    throw new Reject("unwanted", { large });
  },
};

function stick(ctx: Packing, name: string, count: number, bytes: number): void {
  for (let sent = 0; sent < count; sent++) {
    ctx.send(label, ctx.agent.key).stick({ id: name, text: text(bytes) });
  }
}

function stepsOf(
  ctx: Packing,
  measure: Measure,
  sizes: readonly number[],
): Promise<readonly PromiseSettledResult<string>[]> {
  return Promise.allSettled(sizes.map((size) => ctx.step("measure", size, measure)));
}

async function pack(
  ctx: Packing,
  { id: name, kind }: Parcel,
  measure: Measure = measured,
): Promise<unknown> {
  await extras[kind]?.(ctx, name, measure);
  ctx.emit.packed({ id: name, text: "" });
  stick(ctx, name, 1, 10);
  return kind === "large reply" ? large : name;
}

const packer = agent("packer")
  .state({ ids: [] as readonly string[] })
  .event("packed", packed, ({ ids }, event) => ({ ids: [...ids, event.id] }))
  .on("pack", parcel, (ctx, message) => pack(ctx, message))
  .onBatch(
    "packAll",
    parcel,
    async (_, batch) => {
      const replies: unknown[] = [];
      for (const item of batch) {
        const packing = pack(item, item.data, measuredInBatch);
        replies.push(await packing.catch((thrown: unknown) => item.fail(thrown)));
      }
      return replies;
    },
    { batch: { size: 4, waitMs: 20 } },
  );

const keys = ["one", "two", "three"] as const;

export const oversized: System = {
  name: "oversized",
  agents: [packer, label],
  limits: { payloadBytesMax, commitMessagesMax },
  settings: {
    eventBytesMax,
    messageBytesMax,
    groupBytesMax: 40_000,
    retry: { attemptsMax: 20, delayMs: 10, delayMsMax: 100 },
  },
  drive: async (client, stage) => {
    current = stage;
    const withinMs = stage.chance.pick([1, 100, 2000]);
    await stage.times(
      14,
      async (index, chance) => {
        const to = client.send(packer, chance.pick(keys));
        const message = parcelOf(`p${index}`, chance);
        await (chance.happens(0.4) ? to.packAll(message) : to.pack(message));
      },
      { withinMs },
    );
  },
  check: (history) => {
    for (const key of keys) checkKey(history, key);
  },
};

function parcelOf(name: string, chance: Chance): Parcel {
  const kind = chance.happens(0.3) ? "small" : chance.pick(kinds);
  return { id: name, kind, text: kind === "large parcel" ? text(22_000) : "" };
}

function checkKey(history: History, key: string): void {
  const done: string[] = [];
  const stuck: string[] = [];
  for (const { record } of history.turns(packer, key)) {
    const input = history.inputs.get(record.inputPosition);
    assert.ok(input !== undefined);
    const { id: name, kind } = parcel.parse(history.payload(input));
    const what = `${name} of ${key}, ${kind}: ${record.failure?.message}`;
    assert.equal(record.failure?.code, ends[kind], what);
    if (record.failure !== undefined) {
      const kept = record.events.length + record.sent.length;
      assert.equal(kept, 0, `${what}: it keeps something`);
      continue;
    }
    done.push(name);
    const messages = kind === "as many messages as fit" ? commitMessagesMax - 1 : 1;
    stuck.push(...Array.from({ length: messages }, () => name));
  }
  assert.deepEqual(history.state(packer, key).ids, done, `what is packed of ${key}`);
  assert.deepEqual(history.state(label, key).ids, stuck, `the labels of ${key}`);
}
