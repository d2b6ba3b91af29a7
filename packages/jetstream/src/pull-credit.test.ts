/** The account of pulls, against a server that answers as the real one does. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Pull } from "./pull-credit.ts";
import { PullCredit } from "./pull-credit.ts";

/** Pulls are answered in order; one ends when the next message does not fit into its bytes. */
class Server {
  readonly pulls: { batch: number; bytes: number }[] = [];

  take({ batch, max_bytes = Infinity }: Pull): void {
    this.pulls.push({ batch, bytes: max_bytes });
  }

  /** Fate of the next message of this size. */
  answer(size: number): "delivered" | "too-large" | "nothing" {
    const [pull] = this.pulls;
    if (pull === undefined) return "nothing";
    if (size > pull.bytes) {
      this.pulls.shift();
      return "too-large";
    }
    pull.bytes -= size;
    pull.batch -= 1;
    if (pull.batch === 0 || pull.bytes === 0) this.pulls.shift();
    return "delivered";
  }

  get asked(): number {
    return this.pulls.reduce((sum, { bytes }) => sum + (bytes === Infinity ? 0 : bytes), 0);
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 60 });

describe("the credit of a reader", () => {
  it("brings every message, of whatever size, and never more than it allows (I7)", () => {
    const bounds = fc.record({
      messages: fc.integer({ min: 1, max: 20 }),
      bytes: fc.integer({ min: 1, max: 5000 }),
      share: fc.integer({ min: 1, max: 5000 }),
      held: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(sizes, bounds, (messages, { bytes, held, messages: max, share }) => {
        const credit = new PullCredit(max, bytes);
        const server = new Server();
        const inMemory: number[] = [];
        const giveBack = (): void => {
          const first = inMemory.shift();
          if (first !== undefined) credit.grant(1, first);
        };
        let next = 0;
        for (let step = 0; next < messages.length; step++) {
          expect(step, "it goes on").toBeLessThan(2000);
          const pull = credit.next(share);
          if (pull !== undefined) server.take(pull);
          expect(server.asked).toBeLessThanOrEqual(Math.min(bytes, share));
          const size = messages[next] ?? 0;
          const answer = server.answer(size);
          if (answer === "too-large") credit.ended(true);
          if (answer === "delivered") {
            credit.received(size, size);
            inMemory.push(size);
            next += 1;
          }
          if (answer === "nothing" || inMemory.length > held) giveBack();
          const total = inMemory.reduce((sum, each) => sum + each, 0);
          expect(inMemory.length).toBeLessThanOrEqual(max);
          expect(inMemory.length > 1 && total > bytes).toBe(false);
        }
      }),
    );
  });

  it("asks for small messages as if there were no bytes: half of the window at a time", () => {
    const credit = new PullCredit(1024, 4 * 1024 * 1024);
    const pulls: number[] = [];
    for (let message = 0; message < 10_000; message++) {
      for (let pull = credit.next(2 ** 21); pull !== undefined; pull = credit.next(2 ** 21)) {
        pulls.push(pull.batch);
      }
      credit.received(300, 300);
      credit.grant(1, 300);
    }
    expect(pulls.length).toBeLessThan(25);
  });

  it("has a second pull under way while what came is still held", () => {
    const credit = new PullCredit(100, 80_000);
    expect(credit.next(80_000)).toMatchObject({ batch: 100 });
    for (let message = 0; message < 60; message++) credit.received(30, 600);
    credit.grant(30, 30 * 600);
    expect(credit.next(80_000)).toBeUndefined();
    credit.grant(20, 20 * 600);
    expect(credit.next(80_000)).toMatchObject({ batch: 50 });
  });
});
