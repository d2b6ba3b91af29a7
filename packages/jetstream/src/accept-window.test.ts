/** Senders are bounded: so many on their way, so many in line, in order (I7). */
import { agent } from "@troupe/core";
import { TooManyWaitingError } from "@troupe/core/errors";
import type { InputDraft } from "@troupe/core/log";
import { expect, test } from "vitest";
import { z } from "zod";

import { AcceptWindow } from "./accept-window.ts";
import { connect } from "./connect.ts";
import { connectLog } from "./connect-log.ts";
import { startNatsServer } from "./server/start-nats-server.ts";

/** A send through the window, as a promise. */
function through<Result>(
  window: AcceptWindow,
  what: string,
  send: () => Promise<Result>,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    window.enter(what, () => {
      send()
        .then(resolve, reject)
        .finally(() => window.leave());
    });
  });
}

/** Sends that end when they are told to. */
function sends(): {
  readonly begun: number[];
  readonly end: (index: number) => void;
  readonly send: (index: number) => Promise<number>;
} {
  const ends = new Map<number, () => void>();
  const begun: number[] = [];
  return {
    begun,
    end: (index) => ends.get(index)?.(),
    send: (index) => {
      begun.push(index);
      return new Promise((resolve) => ends.set(index, () => resolve(index)));
    },
  };
}

test("so many are on their way, the others follow in order, and one too many is refused", async () => {
  const window = new AcceptWindow({ flyingMax: 2, waitingMax: 3 });
  const { begun, end, send } = sends();
  const all = [0, 1, 2, 3, 4].map((index) => through(window, `${index}`, () => send(index)));
  expect(begun).toEqual([0, 1]);
  await expect(through(window, "the sixth", () => send(5))).rejects.toThrow(TooManyWaitingError);
  await expect(through(window, "the sixth", () => send(5))).rejects.toThrow(
    "the sixth was not sent",
  );
  end(1);
  await all[1];
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  for (const index of [0, 2, 3, 4]) {
    end(index);
    await all[index];
    await Promise.resolve();
  }
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

test("a send that fails gives its place to the next", async () => {
  const window = new AcceptWindow({ flyingMax: 1, waitingMax: 1 });
  const failing = through(window, "one", () => Promise.reject(new Error("no")));
  const next = through(window, "two", () => Promise.resolve("sent"));
  await expect(failing).rejects.toThrow("no");
  await expect(next).resolves.toBe("sent");
});

test("who sends 20 000 messages without awaiting any has them stored, in order", async () => {
  await using server = await startNatsServer();
  await using troupe = await connect(server.url);
  const counter = agent("counter")
    .state({ last: -1, count: 0 })
    .event("seen", z.object({ n: z.number() }), ({ count }, { n }) => ({
      last: n,
      count: count + 1,
    }))
    .on("see", z.object({ n: z.number() }), (ctx, { n }) => {
      if (n !== ctx.state.last + 1) throw new Error(`${n} after ${ctx.state.last}`);
      ctx.emit.seen({ n });
    })
    .on("count", z.null(), (ctx) => ctx.state.count);
  await troupe.work(counter);
  const receipts = Array.from({ length: 20_000 }, (_, n) => troupe.send(counter, "one").see({ n }));
  await Promise.all(receipts);
  expect(await troupe.agent(counter, "one").count(null)).toBe(20_000);
});

test("what its sender gave up while it waited in line is not stored, and keeps no place", async () => {
  await using server = await startNatsServer();
  const log = await connectLog({ servers: server.url, acceptsMax: 1 });
  const draft = (key: string): InputDraft => ({
    address: { kind: "agent", name: "counter", key },
    metadata: {},
    payload: Buffer.from("1"),
  });
  const givenUp = new AbortController();
  const first = log.accept(draft("first"));
  const second = log.accept(draft("second"), { signal: givenUp.signal });
  const third = log.accept(draft("third"));
  givenUp.abort();
  await expect(second).rejects.toThrow("The caller gave up");
  expect((await first).position).toBe(1);
  expect((await third).position).toBe(2);
  await log.close();
});

test("thousands that were given up while they waited do not overflow the stack", () => {
  const window = new AcceptWindow({ flyingMax: 1, waitingMax: 100_000 });
  let begun = 0;
  window.enter("the first", () => undefined);
  for (let index = 0; index < 50_000; index += 1) {
    window.enter("one that was given up", () => {
      begun += 1;
      window.leave();
    });
  }
  window.leave();
  expect(begun).toBe(50_000);
  window.enter("the next one", () => (begun = 0));
  expect(begun).toBe(0);
});
