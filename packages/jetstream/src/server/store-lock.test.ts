import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { NatsServerStoreInUseError } from "./errors.ts";
import { identifyProcess, isStillRunning } from "./process-identity.ts";
import { startNatsServer } from "./start-nats-server.ts";
import { lockStore } from "./store-lock.ts";

let storeDir: string;

beforeEach(async () => {
  storeDir = join(await mkdtemp(join(tmpdir(), "troupe-test-")), "store");
  await mkdir(storeDir);
});

afterEach(() => rm(join(storeDir, ".."), { recursive: true }));

test("a second server on a store is refused, until the first has stopped", async () => {
  const first = await startNatsServer({ storeDir });
  const second = startNatsServer({ storeDir });
  await expect(second).rejects.toThrow(NatsServerStoreInUseError);
  await expect(second).rejects.toThrow(`${storeDir} is in use by the nats-server ${first.pid}`);
  await first.kill();
  await expect(startNatsServer({ storeDir })).rejects.toThrow("is in use");
  await first.stop();
  await using third = await startNatsServer({ storeDir });
  expect(third.storeDir).toBe(storeDir);
});

test("of many that want a store at once, one gets it", async () => {
  const locks = await Promise.allSettled(Array.from({ length: 20 }, () => lockStore(storeDir, 0)));
  expect(locks.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("of many that find a left-over lock at once, one gets the store", async () => {
  await writeLock({ owner: await identityOfGoneProcess() });
  const locks = await Promise.allSettled(Array.from({ length: 20 }, () => lockStore(storeDir, 0)));
  expect(locks.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await readdir(storeDir)).toEqual(["troupe-server.2.json"]);
});

test("a lock whose process id is in use again by another process is left over", async () => {
  await writeLock({ owner: { pid: process.pid, startedAt: "long ago" } });
  const lock = await lockStore(storeDir, 0);
  await lock.release();
  await expect(lockStore(storeDir, 0)).resolves.toBeDefined();
});

test("a file that is no lock is left over", async () => {
  await writeFile(join(storeDir, "troupe-server.1.json"), "");
  await expect(lockStore(storeDir, 0)).resolves.toBeDefined();
});

test("an abandoned server is waited for, within the bound", async () => {
  const abandoned = startSleeper();
  const server = await identifyProcess(abandoned.pid ?? 0);
  await writeLock({ owner: await identityOfGoneProcess(), server });
  await expect(lockStore(storeDir, 50)).rejects.toThrow(`the nats-server ${abandoned.pid}`);
  const lock = lockStore(storeDir, 20_000);
  abandoned.kill("SIGKILL");
  await expect(lock).resolves.toBeDefined();
  expect(server && (await isStillRunning(server))).toBe(false);
});

test("a store is usable at once after its parent was killed: the old server ends first", async () => {
  const module = new URL("./start-nats-server.ts", import.meta.url).href;
  const script = `
    import { startNatsServer } from ${JSON.stringify(module)};
    const server = await startNatsServer({ storeDir: ${JSON.stringify(storeDir)} });
    console.log(server.pid);
    setInterval(() => {}, 1000);
  `;
  const parent = spawn(
    process.execPath,
    [...process.execArgv, "--input-type=module", "-e", script],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const abandoned = await identifyProcess(Number(line.toString()));
  parent.kill("SIGKILL");
  await once(parent, "exit");
  await using server = await startNatsServer({ storeDir });
  expect(abandoned && (await isStillRunning(abandoned))).toBe(false);
  expect(server.pid).not.toBe(abandoned?.pid);
});

test("a process has the same identity whoever asks, another process has another", async () => {
  const sleeper = startSleeper();
  const identity = await identifyProcess(sleeper.pid ?? 0);
  expect(await identifyProcess(sleeper.pid ?? 0)).toEqual(identity);
  expect(await identifyProcess(process.pid)).not.toEqual(identity);
  sleeper.kill("SIGKILL");
  await once(sleeper, "exit");
  expect(await identifyProcess(sleeper.pid ?? 0)).toBeUndefined();
});

function startSleeper(): ChildProcess {
  return spawn("sleep", ["600"], { stdio: "ignore" });
}

async function identityOfGoneProcess(): Promise<unknown> {
  const sleeper = startSleeper();
  const identity = await identifyProcess(sleeper.pid ?? 0);
  sleeper.kill("SIGKILL");
  await once(sleeper, "exit");
  return identity;
}

function writeLock(holder: unknown): Promise<void> {
  return writeFile(join(storeDir, "troupe-server.1.json"), JSON.stringify(holder));
}
