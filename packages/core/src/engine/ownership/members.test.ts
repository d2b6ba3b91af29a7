/** Conditions under which another worker counts as gone (OWN-3). */
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { systemClock } from "../../clock/clock.ts";
import type { InspectionEvent } from "../inspection/inspection-feed.ts";
import { inspectionFeed } from "../inspection/inspection-feed.ts";
import { Members } from "./members.ts";

const timings = { heartbeatMs: 500, deadAfterMs: 2500 };

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function listening(probe: (worker: string) => Promise<boolean>) {
  const feed = inspectionFeed();
  const told: InspectionEvent[] = [];
  feed.listen((event) => told.push(event));
  const changes: boolean[] = [];
  const twins: (string | undefined)[] = [];
  const members = new Members({
    log: { probe },
    clock: systemClock,
    feed,
    worker: "me",
    session: "mine",
    timings,
    onTwin: (twin) => twins.push(twin.session),
    onChange: (joined) => changes.push(joined),
  });
  const heard = (leaving = false): void =>
    members.heard({ worker: "other", leaving, holds: { clerk: [1] } });
  const present = (): readonly string[] => members.presences.map(({ worker }) => worker);
  return { members, heard, present, changes, told, twins };
}

test("a process that is gone is noticed 1.2 beats after it was heard, whenever that was", async () => {
  const { changes, heard, present, told } = listening(() => Promise.resolve(false));
  await vi.advanceTimersByTimeAsync(499);
  heard();
  await vi.advanceTimersByTimeAsync(599);
  expect(present()).toEqual(["other"]);
  await vi.advanceTimersByTimeAsync(1);
  expect(present()).toEqual([]);
  expect(changes).toEqual([true, false]);
  expect(told).toMatchObject([
    { kind: "worker.joined", worker: "other" },
    { kind: "worker.left", worker: "other", dead: true },
  ]);
});

test("a worker that answers, or cannot be asked, is dead after deadAfterMs of silence", async () => {
  const probe = vi
    .fn<(worker: string) => Promise<boolean>>()
    .mockResolvedValueOnce(true)
    .mockRejectedValue(new Error("cut off"));
  const { heard, present } = listening(probe);
  heard();
  await vi.advanceTimersByTimeAsync(2499);
  expect(present()).toEqual(["other"]);
  expect(probe).toHaveBeenCalledTimes(4);
  await vi.advanceTimersByTimeAsync(1);
  expect(present()).toEqual([]);
});

test("a beat while it is asked after keeps a worker", async () => {
  const answer = Promise.withResolvers<boolean>();
  const { heard, present } = listening(() => answer.promise);
  heard();
  await vi.advanceTimersByTimeAsync(600);
  heard();
  answer.resolve(false);
  await vi.advanceTimersByTimeAsync(0);
  expect(present()).toEqual(["other"]);
});

test("one that leaves is gone at once, and is not asked after", async () => {
  const probe = vi.fn<(worker: string) => Promise<boolean>>().mockResolvedValue(false);
  const { changes, heard, present, told } = listening(probe);
  heard();
  heard(true);
  expect(present()).toEqual([]);
  expect(told.at(-1)).toMatchObject({ kind: "worker.left", dead: false });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(probe).not.toHaveBeenCalled();
  expect(changes).toEqual([true, false]);
});

test("silence of everybody is forgiven when we were cut off ourselves", async () => {
  const { heard, members, present } = listening(() => Promise.resolve(false));
  heard();
  await vi.advanceTimersByTimeAsync(599);
  members.forgiveSilence();
  await vi.advanceTimersByTimeAsync(599);
  expect(present()).toEqual(["other"]);
  members.stop();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(present()).toEqual(["other"]);
});

test("another start of an id we know is heard out, but says nothing for the one that runs", () => {
  const { changes, members, present } = listening(() => Promise.resolve(true));
  const holds = { clerk: [1] };
  members.heard({ worker: "other", session: "first", leaving: false, holds });
  const second = { worker: "other", session: "second" };
  members.heard({ ...second, leaving: false, joining: true, holds: { clerk: [] } });
  expect(members.presences[0]?.holds).toEqual(holds);
  members.heard({ ...second, leaving: true, holds: {} });
  expect(present()).toEqual(["other"]);
  expect(changes).toEqual([true, true]);
  members.heard({ ...second, leaving: false, holds: { clerk: [2] } });
  expect(members.presences[0]?.holds).toEqual({ clerk: [2] });
});

test("another worker of our own id is told, and ourselves are not", () => {
  const { members, twins } = listening(() => Promise.resolve(true));
  members.heard({ worker: "me", session: "mine", leaving: false, holds: {} });
  members.heard({ worker: "me", session: "theirs", leaving: true, holds: {} });
  members.heard({ worker: "me", session: "theirs", leaving: false, holds: {} });
  expect(twins).toEqual(["theirs"]);
});
