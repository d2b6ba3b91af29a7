import { expect, it } from "vitest";

import type { StoredAt } from "./log-end.ts";
import { LogFooting } from "./log-footing.ts";

/** A log as positions with the times at which they were stored. */
function footingOn(stored: Map<number, number>, beforeEnd = (): void => undefined): LogFooting {
  const at = async (position: number): Promise<StoredAt | undefined> => {
    const storedAtMs = stored.get(position);
    return storedAtMs === undefined
      ? undefined
      : { storedAtMs, payload: new Uint8Array(), isLasting: true };
  };
  const end = async () => {
    beforeEnd();
    return { log: "this one", last: Math.max(0, ...stored.keys()) };
  };
  const commit = async (): Promise<readonly number[]> => [60];
  const cell = async () => undefined;
  return new LogFooting({ at, cell, commit, end, partitions: 1, shards: 1 }, () => undefined);
}

it("FOOTING-2: what is read after the log was away proves nothing about what was there before", async () => {
  const stored = new Map([[50, 1000]]);
  const footing = footingOn(stored);
  await footing.begin();
  footing.read(50, 1000);
  footing.doubt();
  // The tail is lost and filled again, beyond where it was, before anybody looks.
  stored.set(50, 2000).set(51, 2001);
  footing.read(51, 2001);
  expect(footing.inDoubt).toBe(true);
  await expect(footing.look()).rejects.toMatchObject({ code: "log-went-back" });
  expect(footing.inDoubt).toBe(true);
  // FOOTING-4
  await expect(footing.commit([])).rejects.toMatchObject({ code: "log-unavailable" });
});

it.each([
  { what: "a hole before the end was destroyed", grown: [60], holds: true },
  {
    what: "a tail that was lost may grow again while somebody looks",
    grown: [50, 60],
    holds: false,
  },
])("FOOTING-2: $what", async ({ grown, holds }) => {
  const stored = new Map([[50, 1000]]);
  const footing = footingOn(stored, () => {
    for (const position of grown) stored.set(position, 2000);
  });
  await footing.begin();
  stored.delete(50);
  footing.read(50, 1000);
  footing.doubt();
  stored.delete(60);
  const looked = footing.look().then(
    () => true,
    () => false,
  );
  expect(await looked).toBe(holds);
});

it("FOOTING-2: a log that is there as it was is trusted again, also beyond where it was", async () => {
  const footing = footingOn(
    new Map([
      [50, 1000],
      [51, 2001],
    ]),
  );
  await footing.begin();
  footing.read(50, 1000);
  footing.doubt();
  footing.read(51, 2001);
  expect(await footing.commit([])).toEqual([60]);
  expect(footing.inDoubt).toBe(false);
  expect(await footing.marks()).toMatchObject([{ position: 51, storedAtMs: 2001 }]);
});

it("INTAKE-3: lets a floor rise only to what is known to be there, and learns where the log ends", async () => {
  const stored = new Map([[40, 4000]]);
  const footing = footingOn(stored);
  await footing.begin();
  footing.read(40, 4000);
  expect(footing.passed(30)).toBe(30);
  expect(footing.passed(90)).toBe(40);
  stored.set(2000, 9000);
  expect(footing.passed(2000)).toBe(40);
  await expect.poll(() => footing.passed(1990)).toBe(1990);
  footing.doubt();
  expect(footing.passed(1000)).toBe(0);
});

it("FOOTING-1: stands on every entry that was stored by itself", async () => {
  const stored = new Map([[50, 1000]]);
  const footing = footingOn(stored);
  await footing.begin();
  footing.read(50, 1000);
  const record = new Uint8Array([1]);
  const commit = {
    agent: { type: "account", key: "a" },
    expectedRevision: 50,
    record,
    outgoing: [],
  };
  expect(await footing.append(commit)).toBe(60);
  // The log never had it, as after a loss.
  await expect(footing.look()).rejects.toMatchObject({ code: "log-went-back" });
});
