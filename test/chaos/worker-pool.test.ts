/** The code that runs when somebody is told that newer code does. */
import { expect, test } from "vitest";

import { Program } from "../e2e/program.ts";
import { WorkerPool } from "./worker-pool.ts";

const script = new URL("./idle-worker.ts", import.meta.url);
/** The smallest chance kills all of them. */
const everybody = (): number => 0;

test("a worker that is killed before it is upgraded makes nobody believe in newer code", async () => {
  const generations: number[] = [];
  const start = async (_: string, generation: number): Promise<Program> => {
    const program = await Program.start(script, {});
    generations.push(generation);
    return program;
  };
  await using pool = await WorkerPool.start({ size: 1, start });
  const killing = pool.kill(everybody);
  let running: readonly number[] = [];
  await pool.upgrade(() => (running = [...generations]));
  await killing;
  expect([running, pool.upgrades, pool.crashes]).toEqual([[1, 2], 0, []]);
});

test("all are replaced, one after the other, also one that was about to start with older code", async () => {
  const starts: number[] = [];
  const slow = Promise.withResolvers<void>();
  const start = async (_: string, generation: number): Promise<Program> => {
    starts.push(generation);
    if (starts.length === 3) await slow.promise;
    return Program.start(script, {});
  };
  await using pool = await WorkerPool.start({ size: 2, start });
  await pool.kill(() => 0.5);
  expect(starts).toEqual([1, 1, 1]);
  const upgrading = pool.upgrade(() => undefined);
  slow.resolve();
  await upgrading;
  expect([pool.upgrades, pool.size, pool.crashes]).toEqual([2, 2, []]);
  expect(starts).toEqual([1, 1, 1, 2, 2]);
});
