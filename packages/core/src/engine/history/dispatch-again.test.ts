/**
 * Messages of a turn are on the log once, however often they are sent again, and by whom (R1 to
 * R3).
 */
import { expect, test } from "vitest";
import { z } from "zod";

import { agent } from "../../definition/agent.ts";
import { inspectionFeed } from "../inspection/inspection-feed.ts";
import type { InputDraft } from "../../definition/message/input.ts";
import type { Log } from "../../log/log.ts";
import { LogUnavailableError } from "../../errors/log-errors.ts";
import { createMemoryBroker, overlay } from "@troupe/testing";
import { addressText } from "../../journal/sent-message.ts";
import { encodeRecord } from "../../journal/turn-record-codec.ts";
import { digestsOf } from "../../wire/digests.ts";
import { agentRuntime } from "../runtime/agent-runtime.ts";
import { LogFooting } from "../../log/log-footing.ts";
import { AgentHistory } from "./agent-history.ts";
import { dispatchAgain } from "./dispatch-again.ts";

const sender = { type: "sender", key: "a" };
const definition = agent("sender").on("go", z.null(), () => undefined);
const identity = { id: "the-log", digests: digestsOf(new Uint8Array(32)) };

test("what is missing is stored, and what is there is left alone", async () => {
  const { again, fence, log, sent, texts } = await stored();
  await log.dispatch(sent.slice(0, 1), fence);
  await again();
  expect(texts()).toEqual(["a@1:0", "a@1:1", "a@1:2"]);
});

test("a message that was on its way all the time is refused", async () => {
  const { again, fence, log, sent, texts } = await stored();
  await again();
  await expect(log.dispatch(sent, fence)).rejects.toMatchObject({ code: "revision-conflict" });
  expect(texts()).toHaveLength(3);
});

test("an attempt that failed half-way proves nothing to the next one", async () => {
  const { again, fence, log, sent, texts } = await stored();
  await log.dispatch(sent.slice(1), fence);
  let commits = 0;
  const half = overlay(log, {
    async commit(turns) {
      if (++commits === 1) return log.commit(turns);
      throw new LogUnavailableError("No answer, says the test.");
    },
  });
  await expect(again(half)).rejects.toMatchObject({ code: "log-unavailable" });
  expect(texts()).toEqual(["a@1:1", "a@1:2"]);
  await again();
  expect(texts()).toEqual(["a@1:1", "a@1:2", "a@1:0"]);
});

test("what is missing is stored with an entry that says that now all is", async () => {
  const { again, history, log, texts } = await stored();
  const unheard = overlay(log, {
    async commit(turns) {
      const revisions = await log.commit(turns);
      if (turns.some(({ outgoing }) => outgoing.length > 0)) {
        throw new LogUnavailableError("No answer, says the test.");
      }
      return revisions;
    },
  });
  await expect(again(unheard)).rejects.toMatchObject({ code: "log-unavailable" });
  expect((await history()).undispatched).toBeUndefined();
  expect(texts()).toEqual(["a@1:0", "a@1:1", "a@1:2"]);
});

test("a later turn proves that everything is stored", async () => {
  const { fence, history, log } = await stored();
  await log.commit([
    { agent: sender, expectedRevision: fence.revision, record: recordOf(2, []), outgoing: [] },
  ]);
  expect((await history()).undispatched).toBeUndefined();
});

/** A turn on the log whose record contains three messages, and nothing behind it. */
async function stored() {
  const broker = createMemoryBroker({ limits: { dispatchMax: 8 } });
  const log = broker.connect();
  await log.accept({ address: addressOf("sender", "a"), metadata: {}, payload: new Uint8Array(1) });
  const sent: InputDraft[] = [0, 1].map((index) => ({
    address: addressOf("receiver", `key-${index}`),
    metadata: { id: `a@1:${index}`, sender: "sender/a" },
    payload: new Uint8Array(1),
  }));
  sent.push({
    address: { kind: "topic", name: "news", key: "a" },
    metadata: { id: "a@1:2", sender: "sender/a" },
    payload: new Uint8Array(1),
  });
  const record = recordOf(1, sent);
  const commit = { agent: sender, expectedRevision: 0, record, outgoing: [], dispatched: sent };
  const [revision = 0] = await log.commit([commit]);
  const history = async (): Promise<AgentHistory> => {
    const feed = inspectionFeed();
    const made = new AgentHistory(
      { log, feed, footing: footingOn(log), identity },
      agentRuntime(definition),
      sender,
    );
    await made.load();
    return made;
  };
  return {
    log,
    sent,
    history,
    fence: { agent: sender, revision },
    /** Dispatches as a process that starts from the journal does. */
    again: async (through: Log = log): Promise<void> => {
      const made = await history();
      const { undispatched } = made;
      if (undispatched === undefined) throw new Error("The journal says that all is stored.");
      await dispatchAgain(
        { log: through, worker: "test", footing: footingOn(through), identity },
        sender,
        made,
        undispatched,
      );
    },
    texts: () =>
      broker.entries().flatMap((entry) => {
        const id = entry.kind === "input" ? entry.input.metadata.id : undefined;
        return id?.startsWith("a@") === true ? [id] : [];
      }),
  };
}

function footingOn(log: Log): LogFooting {
  return new LogFooting(log, () => undefined);
}

function addressOf(name: string, key: string): InputDraft["address"] {
  return { kind: "agent", name, key };
}

function recordOf(turn: number, dispatched: readonly InputDraft[]): Uint8Array {
  return encodeRecord({
    turn,
    log: identity.id,
    inputPosition: turn,
    messageId: `@${turn}`,
    message: "go",
    events: [],
    sent: dispatched.map(({ address, metadata, payload }) => {
      return { to: addressText(address), id: metadata.id ?? "", digest: "", content: payload };
    }),
    dispatched: dispatched.length > 0 ? dispatched : undefined,
    attempts: 1,
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    worker: "test",
    version: "1",
    acceptedAtMs: 1,
    receivedAtMs: 1,
    startedAtMs: 1,
    tookMs: 1,
  });
}
