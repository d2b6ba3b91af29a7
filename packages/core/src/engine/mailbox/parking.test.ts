import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { InspectionEvent, Troupe } from "@troupe/core";
import { agent, createTroupe, topic } from "@troupe/core";
import { resumeDraft } from "@troupe/core/operate";
import { createMemoryBroker } from "@troupe/testing";

const quick = {
  timings: { joinDelayMs: 0 },
  retry: { attemptsMax: 2, delayMs: 1, delayMsMax: 2 },
  floorIntervalMs: 5,
} as const;

const notes = topic("notes", z.string());
let broken = new Set<string>();
const runs = vi.fn<(text: string) => void>();

function note(text: string): void {
  runs(text);
  if (broken.has(text)) throw new Error(`${text} is broken`);
}

const clerk = agent("clerk")
  .state({ texts: [] as readonly string[] })
  .event("noted", z.string(), ({ texts }, text) => ({ texts: [...texts, text] }))
  .on(
    "note",
    z.string(),
    (ctx, text) => {
      note(text);
      ctx.emit.noted(text);
      return ctx.state.texts.length;
    },
    { retry: { exhausted: "park" } },
  )
  .subscribe(
    notes,
    (ctx, text) => {
      note(text);
      ctx.emit.noted(text);
    },
    { retry: { exhausted: "park" } },
  )
  .on("show", z.object({}), (ctx) => ctx.state.texts);

afterEach(() => {
  broken = new Set();
  runs.mockClear();
});

interface Desk extends AsyncDisposable {
  readonly troupe: Troupe;
  readonly events: InspectionEvent[];
  readonly broker: ReturnType<typeof createMemoryBroker>;
}

async function desk(options: { journalPageMax?: number } = {}): Promise<Desk> {
  const broker = createMemoryBroker(options);
  const troupe = createTroupe(broker.connect());
  const events: InspectionEvent[] = [];
  troupe.inspect((event) => void events.push(event));
  await troupe.work(clerk, quick);
  return { troupe, events, broker, [Symbol.asyncDispose]: () => troupe.close() };
}

const alice = { type: "clerk", key: "alice" };

async function happened(
  events: readonly InspectionEvent[],
  kind: string,
  times = 1,
): Promise<void> {
  await vi.waitFor(() => {
    expect(events.filter((event) => event.kind === kind).length).toBeGreaterThanOrEqual(times);
  });
}

async function textsOf(troupe: Troupe, key = "alice"): Promise<readonly string[]> {
  let last: readonly string[] = [];
  for await (const { state } of troupe.replay(clerk, key)) last = state.texts;
  return last;
}

describe("a parked agent", () => {
  it("holds back its later messages in order, and its neighbours go on", async () => {
    await using open = await desk();
    const { troupe, events } = open;
    broken.add("bad");
    await expect(troupe.agent(clerk, "alice").note("bad")).rejects.toMatchObject({
      code: "agent-parked",
      retryable: true,
    });
    await expect(troupe.agent(clerk, "alice").note("behind")).rejects.toMatchObject({
      code: "agent-parked",
    });
    await troupe.publish(notes, "alice", "published");
    expect(await troupe.agent(clerk, "bob").note("fine")).toBe(1);
    expect(runs.mock.calls.flat()).toEqual(["bad", "bad", "fine"]);
    expect(await textsOf(troupe)).toEqual([]);

    broken.clear();
    await troupe.log.accept(resumeDraft(alice));
    await happened(events, "agent.resumed");
    expect(await textsOf(troupe)).toEqual(["bad", "behind", "published"]);
    expect(await troupe.agent(clerk, "alice").note("after")).toBe(4);
  });

  it("is one dead letter with the reason, for people to find", async () => {
    await using open = await desk();
    broken.add("bad");
    await refused(open.troupe, "bad");
    await refused(open.troupe, "behind");
    const letters = [];
    for await (const entry of open.troupe.follow({ from: 1, untilNow: true })) {
      if (entry.kind === "dead-letter") letters.push(entry.deadLetter);
    }
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({ agent: alice, attempts: 2 });
    expect(letters[0]?.failure).toMatchObject({
      code: "agent-parked",
      details: { failure: { message: "Error: bad is broken" } },
    });
  });

  it("stays parked over a change of worker, and is resumed by the next one", async () => {
    await using open = await desk();
    broken.add("bad");
    await refused(open.troupe, "bad");
    await refused(open.troupe, "behind");
    await open.troupe.close();
    await using next = createTroupe(open.broker.connect());
    const events: InspectionEvent[] = [];
    next.inspect((event) => void events.push(event));
    await next.work(clerk, quick);
    await expect(next.agent(clerk, "alice").note("later")).rejects.toMatchObject({
      code: "agent-parked",
    });
    broken.clear();
    await next.log.accept(resumeDraft(alice));
    await happened(events, "agent.resumed");
    expect(await textsOf(next)).toEqual(["bad", "behind", "later"]);
  });

  it("gives the message up when it is resumed with skip", async () => {
    await using open = await desk();
    broken.add("bad");
    await refused(open.troupe, "bad");
    await refused(open.troupe, "behind");
    await open.troupe.log.accept(resumeDraft(alice, { skip: true }));
    await happened(open.events, "agent.resumed");
    expect(await textsOf(open.troupe)).toEqual(["behind"]);
    expect(runs.mock.calls.flat()).toEqual(["bad", "bad", "behind"]);
  });

  it("stays parked with the new failure when its message fails again", async () => {
    await using open = await desk();
    broken.add("bad");
    await refused(open.troupe, "bad");
    await refused(open.troupe, "behind");
    await open.troupe.log.accept(resumeDraft(alice));
    await happened(open.events, "agent.parked", 2);
    expect(await textsOf(open.troupe)).toEqual([]);
    broken.clear();
    await open.troupe.log.accept(resumeDraft(alice));
    await happened(open.events, "agent.resumed");
    expect(await textsOf(open.troupe)).toEqual(["bad", "behind"]);
  });

  it("resumes a long backlog page by page, and what comes meanwhile afterwards", async () => {
    await using open = await desk({ journalPageMax: 7 });
    const { events, troupe } = open;
    broken.add("0");
    await refused(troupe, "0");
    for (let i = 1; i <= 40; i++) await troupe.send(clerk, "alice").note(String(i));
    broken.clear();
    await troupe.log.accept(resumeDraft(alice));
    for (let i = 41; i <= 50; i++) await troupe.send(clerk, "alice").note(String(i));
    await happened(events, "agent.resumed");
    await vi.waitFor(async () => expect(await textsOf(troupe)).toHaveLength(51));
    expect(await textsOf(troupe)).toEqual(Array.from({ length: 51 }, (_, i) => String(i)));
  });

  it("is not there when a message is rejected for good, or its policy is a dead letter", async () => {
    await using open = await desk();
    const { troupe } = open;
    await troupe.log.accept({
      address: { kind: "agent", name: "clerk", key: "alice" },
      metadata: { message: "note" },
      payload: Buffer.from("{broken json"),
    });
    expect(await troupe.agent(clerk, "alice").note("next")).toBe(1);
  });

  it("that is not parked takes a resume for nothing", async () => {
    await using open = await desk();
    await open.troupe.log.accept(resumeDraft(alice));
    expect(await open.troupe.agent(clerk, "alice").note("first")).toBe(1);
    expect(await textsOf(open.troupe)).toEqual(["first"]);
  });

  it("is resumed to the end by the next worker when the first one dies on the way", async () => {
    const broker = createMemoryBroker();
    const crashing = broker.connect();
    const first = createTroupe(crashing);
    // One by one, so that some of them are committed before it dies.
    await first.work(clerk, { ...quick, snapshotTurns: 1, runAheadMax: 1 });
    broken.add("0");
    await using asker = createTroupe(broker.connect());
    await refused(asker, "0");
    for (let i = 1; i <= 9; i++) await refused(asker, String(i));
    broken.clear();
    // The worker dies when half of what was deferred is handled.
    runs.mockImplementation((text) => {
      if (text === "5") crashing.crash();
    });
    await asker.log.accept(resumeDraft(alice));
    await vi.waitFor(() => expect(runs).toHaveBeenCalledWith("5"));
    runs.mockReset();
    await using next = createTroupe(broker.connect());
    await next.work(clerk, { ...quick, snapshotTurns: 1 });
    await vi.waitFor(async () => {
      expect(await textsOf(next)).toEqual(Array.from({ length: 10 }, (_, i) => String(i)));
    });
    expect(await next.agent(clerk, "alice").note("after")).toBe(11);
  });

  it("counts no run of its message that the log did not let it park after", async () => {
    await using open = await desk();
    const { broker, events, troupe } = open;
    broken.add("bad");
    broker.failNextCommit("conflict");
    broker.failNextCommit("unavailable");
    await refused(troupe, "bad");
    const tries = events.flatMap((event) => (event.kind === "turn.started" ? [event.attempt] : []));
    expect(tries).toEqual([1, 2, 2, 2]);
    const letters = broker
      .entries()
      .flatMap((entry) => (entry.kind === "dead-letter" ? [entry.deadLetter.attempts] : []));
    expect(letters).toEqual([2]);
  });

  it("loses nothing when the commits of parking and resuming are refused or unanswered", async () => {
    for (const kind of ["conflict", "unavailable", "lost-ack"] as const) {
      await using open = await desk();
      const { broker, events, troupe } = open;
      broken.add("bad");
      broker.failNextCommit(kind);
      await refused(troupe, "bad");
      await refused(troupe, "behind");
      broken.clear();
      broker.failNextCommit(kind);
      await troupe.log.accept(resumeDraft(alice));
      await happened(events, "agent.resumed");
      await vi.waitFor(async () => expect(await textsOf(troupe)).toEqual(["bad", "behind"]));
    }
  });
});

async function refused(troupe: Troupe, text: string): Promise<void> {
  await expect(troupe.agent(clerk, "alice").note(text)).rejects.toMatchObject({
    code: "agent-parked",
  });
}
