/** Faults of one connection of a memory broker only, and the answers of a replica. */
import { describe, expect, test } from "vitest";

import { account, partitionOf, toAccount, turn } from "../drafts.ts";
import { createMemoryBroker } from "@troupe/testing";

const rounds = async (): Promise<void> => {
  for (let round = 0; round < 5; round++) await new Promise((resolve) => setImmediate(resolve));
};

describe("a connection that is cut off", () => {
  test("waits with its calls, or fails them, while others go on", async () => {
    const broker = createMemoryBroker();
    const [cut, other] = [broker.connect(), broker.connect()];
    cut.cutOff();
    const accepting = cut.accept(toAccount("alice", "late"));
    expect(await other.accept(toAccount("alice", "early"))).toMatchObject({ position: 1 });
    cut.cutOff({ calls: "fail" });
    await expect(cut.journal(account("alice"), 0)).rejects.toMatchObject({
      code: "log-unavailable",
    });
    cut.reconnect();
    expect(await accepting).toMatchObject({ position: 2 });
  });

  test("reads nothing until it is back, and then everything in order", async () => {
    const broker = createMemoryBroker();
    const [cut, other] = [broker.connect(), broker.connect()];
    const seen: number[] = [];
    const onInput = ({ position }: { readonly position: number }): void => void seen.push(position);
    cut.cutOff();
    cut.read({ source: partitionOf(cut, "alice"), after: 0, credit: 10, onInput });
    await other.accept(toAccount("alice", "one"));
    await other.accept(toAccount("alice", "two"));
    expect(seen).toEqual([]);
    cut.reconnect();
    await rounds();
    expect(seen).toEqual([1, 2]);
  });
});

test("a suspended process gets what was sent to it when it wakes, in order", async () => {
  const broker = createMemoryBroker();
  const [still, other] = [broker.connect(), broker.connect()];
  const heard: string[] = [];
  still.onReply((_, payload) => void heard.push(Buffer.from(payload).toString()));
  const accepting = still.accept(toAccount("alice", "one")).then(() => heard.push("accepted"));
  still.suspend();
  const address = still.replyAddress();
  for (const word of ["a", "b"]) other.reply(address, Buffer.from(word));
  await other.flush();
  await rounds();
  expect(broker.entries()).toHaveLength(1);
  expect(heard).toEqual([]);
  still.wake();
  await accepting;
  await rounds();
  expect(heard).toEqual(["accepted", "a", "b"]);
});

test("a replica answers with what was stored when it fell behind", async () => {
  const broker = createMemoryBroker();
  const log = broker.connect();
  await log.accept(toAccount("alice", "one"));
  await log.commit([turn("alice", 0)]);
  await log.writeCell("cell", new Uint8Array([1]), 0);
  const replica = broker.replica();
  await log.accept(toAccount("alice", "two"));
  await log.commit([turn("alice", 2)]);
  await log.writeCell("cell", new Uint8Array([2]), 1);
  await log.saveSnapshot(account("alice"), new Uint8Array([7]));
  const alice = account("alice");
  expect(replica.journal(alice, 0)).toEqual((await log.journal(alice, 0)).slice(0, 1));
  expect(replica.inputsOf(alice, [], 0, 100).map(({ position }) => position)).toEqual([1]);
  expect([replica.input(1)?.position, replica.input(3)]).toEqual([1, undefined]);
  expect(replica.cell("cell")?.revision).toBe(1);
  expect([replica.snapshot(alice), await log.snapshot(alice)]).toEqual([
    undefined,
    new Uint8Array([7]),
  ]);
});
