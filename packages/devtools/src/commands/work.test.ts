import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { startNatsServer } from "@troupe/jetstream/server";
import type { NatsServer } from "@troupe/jetstream/server";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startBankSystem } from "../../fixtures/bank-system.ts";
import {
  askingModule,
  bankModule,
  carelessModule,
  cleanEnvironment,
  commandLine,
  runTroupe,
  stallingModule,
  TroupeProcess,
} from "../../fixtures/troupe-process.ts";

describe("two workers", () => {
  test("share the partitions, and the second one takes over what the first one gives back", async () => {
    await using bank = await startBankSystem();
    await using second = bank.start(["work", bankModule, "--id", "second"]);
    await second.shows("holds account 8/16, ledger 8/16");
    await bank.worker.shows("holds account 8/16, ledger 8/16");
    const ended = await bank.worker.end("SIGTERM");
    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain("Stopped.");
    await second.shows("holds account 16/16, ledger 16/16");
    expect(second.stdout).toMatch(/worker +first left/);
    const asked = await bank.run(["ask", "account/ann", "deposit", '{"amount":5}']);
    expect(asked.stdout).toBe("5\n");
    await second.shows('deposited {"amount":5} · reply 5');
  });

  test("show what they do: turns, failures, dead letters", async () => {
    await using bank = await startBankSystem();
    await bank.run(["send", "account/ann", "withdraw", '{"amount":5}']);
    await bank.worker.shows("dead");
    expect(bank.worker.stdout).toMatch(
      /failed +account\/ann +withdraw · rejected: insufficient funds \{"missing":5\}/,
    );
  });
});

describe("the feed", () => {
  test("is one JSON object per line with --json", async () => {
    await using bank = await startBankSystem();
    await using worker = bank.start(["work", bankModule, "--json"]);
    await worker.shows('"partition.taken"');
    await bank.worker.end("SIGTERM");
    await bank.run(["ask", "account/ann", "deposit", '{"amount":5}']);
    await worker.shows('"turn.committed"');
    const { code, stdout, stderr } = await worker.end("SIGINT");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string; agent?: unknown });
    expect(events.find(({ kind }) => kind === "turn.committed")).toMatchObject({
      agent: { type: "account", key: "ann" },
      record: { reply: 5 },
    });
    expect(events.at(-1)).toMatchObject({ kind: "worker.stopped" });
  });
});

describe("a turn that does not end", () => {
  test("is given up after the drain timeout", async () => {
    await using server = await startNatsServer();
    await using worker = await stalledWorker(server, ["--drain-timeout", "100ms"]);
    const ended = await worker.end("SIGTERM");
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('"worker.stopped"');
  });

  test("does not keep a second Ctrl-C from ending at once", async () => {
    await using server = await startNatsServer();
    await using worker = await stalledWorker(server, []);
    worker.child.kill("SIGINT");
    await worker.shows('"worker.stopping"');
    expect((await worker.end("SIGINT")).code).toBe(130);
  });

  test("that waits for an agent which nobody hosts is given back, and fails nothing", async () => {
    await using server = await startNatsServer();
    const env = { TROUPE_NATS_URL: server.url };
    const both = new TroupeProcess(["work", askingModule, "--json"], { env });
    await both.shows('"partition.taken"');
    await both.end("SIGTERM");
    await using worker = new TroupeProcess(["work", askingModule, "--export", "asking"], { env });
    await worker.shows("holds asking 16/16");
    expect(await runTroupe(["send", "asking/one", "ask"], { env })).toMatchObject({ code: 0 });
    await worker.shows("info: asks");
    const { code, stderr, stdout } = await worker.end("SIGINT");
    expect(code).toBe(0);
    expect(stdout).toMatch(/asking\/one +given back/);
    expect(stderr).toContain("1 turn did not finish and stayed on the log");
    const letters = await runTroupe(["dlq", "list", "--json"], { env });
    expect(letters).toMatchObject({ code: 0, stdout: "" });
  });

  async function stalledWorker(
    server: NatsServer,
    options: readonly string[],
  ): Promise<TroupeProcess> {
    const env = { TROUPE_NATS_URL: server.url };
    const worker = new TroupeProcess(["work", stallingModule, "--json", ...options], { env });
    await worker.shows('"partition.taken"');
    const sent = await runTroupe(["send", "stalling/one", "stall"], { env });
    expect(sent).toMatchObject({ code: 0 });
    return worker;
  }
});

describe("a handler", () => {
  test("that lets go of a promise is named, and the worker goes on", async () => {
    await using server = await startNatsServer();
    const env = { TROUPE_NATS_URL: server.url };
    await using worker = new TroupeProcess(["work", carelessModule], { env });
    await worker.shows("holds careless 16/16");
    for (const key of ["one", "two"]) {
      const asked = await runTroupe(["ask", `careless/${key}`, "forget"], { env });
      expect(asked).toMatchObject({ code: 0, stdout: '"done"\n' });
    }
    const { code, stderr } = await worker.end("SIGTERM");
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /rejected that nobody awaits: Error: nobody awaits this at .*careless\.ts:\d+.*Running: forget of careless\/one/,
    );
  });

  test("that blocks the process is named, and ended when it takes too long", async () => {
    await using server = await startNatsServer();
    const env = { TROUPE_NATS_URL: server.url };
    const args = ["work", carelessModule, "--blocked-timeout", "1s"];
    await using worker = new TroupeProcess(args, { env });
    await worker.shows("holds careless 16/16");
    expect(await runTroupe(["send", "careless/one", "loop"], { env })).toMatchObject({ code: 0 });
    const { code, stderr } = await worker.finished;
    expect(code).toBe(null);
    expect(stderr).toMatch(
      /has blocked this process .*Running: loop of careless\/one \(message at/,
    );
  });
});

describe("a module", () => {
  let server: NatsServer;
  let folder: string;

  beforeAll(async () => {
    server = await startNatsServer();
    folder = await mkdtemp(join(tmpdir(), "troupe-work-"));
  });

  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const work = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    const env = { TROUPE_NATS_URL: server.url };
    const { code, stderr } = await runTroupe(["work", name], { env, cwd: folder });
    expect(code).toBe(1);
    return stderr;
  };

  test("that throws is named, with the place", async () => {
    const stderr = await work("broken.mjs", 'throw new Error("out of paint");\n');
    expect(stderr).toContain("broken.mjs cannot be imported");
    expect(stderr).toMatch(/out of paint\n +at .*broken\.mjs:1:7/);
    expect(stderr).not.toContain("node:internal");
  });

  test("with TypeScript that cannot be erased is named, with the place", async () => {
    const stderr = await work("erased.ts", "export const a: number = 1;\nenum Colour {}\n");
    expect(stderr).toMatch(/erased\.ts:2\n.*\n {2}enum Colour/);
  });

  test("that imports what is not there is named", async () => {
    expect(await work("lost.mjs", 'import "./gone.mjs";\n')).toContain("gone.mjs");
  });

  test("without agents is told what it exports", async () => {
    expect(await work("empty.mjs", "export const one = 1, two = 2;\n")).toContain(
      "it exports one, two",
    );
  });

  test("with two agents of one type is refused", async () => {
    const fake =
      '{ kind: "agent", type: "twin", initialState: {}, events: {}, messages: {}, subscriptions: {} }';
    const stderr = await work("twins.mjs", `export const twins = [${fake}, ${fake}];\n`);
    expect(stderr).toContain("twins.mjs: Two agents of the type twin");
  });

  test("is hosted only in part with --export", async () => {
    await using worker = new TroupeProcess(["work", bankModule, "--export", "ledger"], {
      env: { TROUPE_NATS_URL: server.url, TROUPE_NAMESPACE: "part" },
    });
    await worker.shows("holds ledger 16/16");
    expect(worker.stdout).not.toContain("account");
  });

  test.each([
    [["work"], "missing required argument"],
    [["work", "nowhere.ts"], "There is no file nowhere.ts"],
    [["work", "."], "is a folder"],
    [["work", bankModule, "--export", "nothing"], "it exports account, currency, ledger"],
  ])("is asked for wrongly with %j", async (args, text) => {
    const { code, stderr } = await runTroupe(args);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
  });
});

test("goes on working when its output is on a full disk", async ({ skip }) => {
  skip(!existsSync("/dev/full"), "there is no /dev/full on this system");
  await using server = await startNatsServer();
  const env = { TROUPE_NATS_URL: server.url };
  const full = openSync("/dev/full", "w");
  const child = spawn(process.execPath, [...commandLine, "work", bankModule], {
    env: cleanEnvironment(env),
    stdio: ["ignore", full, "pipe"],
  });
  closeSync(full);
  await vi.waitFor(
    async () => {
      const asked = await runTroupe(["ask", "account/ann", "balance", "--timeout", "2s"], { env });
      expect(asked).toMatchObject({ code: 0, stdout: "0\n" });
    },
    { timeout: 20_000 },
  );
  child.kill("SIGTERM");
  const said = child.stderr === null ? "" : await textOf(child.stderr);
  expect(said).toContain("The work goes on without output: ENOSPC");
  const tailed = spawnSync(process.execPath, [...commandLine, "tail", "--until-now"], {
    env: cleanEnvironment(env),
    stdio: ["ignore", openSync("/dev/full", "w"), "pipe"],
    encoding: "utf8",
  });
  expect(tailed.stderr).toMatch(/^error: The output cannot be written: ENOSPC.*\n$/);
  expect(tailed.status).toBe(1);
});
