import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startDeskSystem } from "../../../fixtures/desk-system.ts";
import type { DeskSystem } from "../../../fixtures/desk-system.ts";

let desk: DeskSystem;

beforeAll(async () => {
  desk = await startDeskSystem();
});

afterAll(() => desk[Symbol.asyncDispose]());

async function parkedNow(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return desk.lines(["park", "list"]);
}

/** Park an agent with a message that needs a file. */
async function park(key: string, needs: string): Promise<void> {
  const message = JSON.stringify({ text: "first", needs });
  const asked = await desk.run(["ask", `clerk/${key}`, "note", message]);
  expect(asked.code).toBe(1);
  expect(asked.stderr).toContain(`clerk/${key} is parked`);
}

test("nobody is parked at first", async () => {
  const { code, stdout } = await desk.run(["park", "list"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "No agent is parked.\n" });
});

test("an agent that waits for a file is parked, and resumed in order when the file is there", async () => {
  const file = desk.newFile();
  await park("alice", file);
  await desk.run(["send", "clerk/alice", "note", '{"text":"second"}']);
  await desk.run(["publish", "memos", "alice", '{"text":"third"}']);
  await desk.run(["send", "clerk/alice", "note", '{"text":"fourth"}']);
  await desk.run(["ask", "clerk/neighbour", "note", '{"text":"goes on"}']);
  const [row] = await parkedNow();
  expect(row).toMatchObject({
    agent: "clerk/alice",
    waiting: 3,
    moreWaiting: false,
    failure: { message: "Error: the cabinet is locked" },
  });
  expect(await desk.texts("clerk/alice")).toEqual([]);
  const shown = await desk.run(["park", "list"], { env: { COLUMNS: "80" } });
  expect(shown.stdout).toMatch(/clerk\/alice +\d\d-\d\d \d\d:\d\d +3 .*cabinet/);

  await desk.createFile(file);
  const resumed = await desk.run(["park", "resume", "clerk/alice"]);
  expect(resumed).toEqual({
    code: 0,
    stdout: "clerk/alice is resumed: 4 messages handled.\n",
    stderr: "",
  });
  expect(await desk.texts("clerk/alice")).toEqual(["first", "second", "third", "fourth"]);
  expect(await desk.texts("clerk/neighbour")).toEqual(["goes on"]);
  expect(await parkedNow()).toEqual([]);
  expect(await desk.lines(["dlq", "list", "--type", "clerk"])).toEqual([]);
});

test("resuming fails with the new failure while the reason is there, and can skip", async () => {
  await park("bob", desk.newFile());
  await desk.run(["send", "clerk/bob", "note", '{"text":"behind"}']);
  const again = await desk.run(["park", "resume", "clerk/bob"]);
  expect(again).toMatchObject({ code: 1, stdout: "" });
  expect(again.stderr).toMatch(/clerk\/bob is parked again at position \d+\. .*cabinet is locked/);
  const asData = await desk.run(["park", "resume", "clerk/bob", "--json"]);
  expect(asData.code).toBe(1);
  expect(JSON.parse(asData.stderr)).toMatchObject({
    error: { code: "command-failed", details: { agent: "clerk/bob" } },
  });
  expect(await parkedNow()).toMatchObject([{ agent: "clerk/bob", waiting: 1 }]);

  const skipped = await desk.run(["park", "resume", "clerk/bob", "--skip", "--json"]);
  expect(skipped.code).toBe(0);
  expect(JSON.parse(skipped.stdout)).toEqual({ agent: "clerk/bob", resumed: true, turns: 2 });
  expect(await desk.texts("clerk/bob")).toEqual(["behind"]);
  // Its asker was told that the agent is parked, and nobody hears that it was given up then.
  expect(await desk.lines(["dlq", "list", "--type", "clerk"])).toMatchObject([
    { agent: "clerk/bob", code: "rejected" },
  ]);
});

test("what is told of a parked agent can neither be redriven nor dropped", async () => {
  const file = desk.newFile();
  const key = "dot. and 空格";
  await park(key, file);
  const [letter] = await desk.lines(["dlq", "list", "--code", "agent-parked"]);
  const position = String(letter?.["position"]);
  for (const command of ["redrive", "drop"]) {
    const refused = await desk.run(["dlq", command, position]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain(`troupe park resume 'clerk/${key}'`);
    const all = await desk.run(["dlq", command, "--all", "--code", "agent-parked", "--yes"]);
    expect(all).toMatchObject({ code: 0, stdout: "" });
    expect(all.stderr).toContain(`Left: Dead letter ${position}`);
  }
  const shown = await desk.run(["dlq", "show", position]);
  expect(shown.stdout).toContain(`troupe park resume 'clerk/${key}' --skip`);
  await desk.createFile(file);
  expect((await desk.run(["park", "resume", `clerk/${key}`])).code).toBe(0);
});

test("a long backlog is not counted to its end, and is handled in order", async () => {
  const file = desk.newFile();
  await park("busy", file);
  const texts = Array.from({ length: 300 }, (_, index) => String(index));
  const input = texts.map((text) => JSON.stringify({ text })).join("\n");
  await desk.run(["publish", "memos", "busy"], { input });
  expect(await parkedNow()).toMatchObject([{ waiting: 256, moreWaiting: true }]);
  expect((await desk.run(["park", "list"])).stdout).toMatch(/clerk\/busy .* 256\+ /);
  await desk.createFile(file);
  const { stdout } = await desk.run(["park", "resume", "clerk/busy"]);
  expect(stdout).toBe("clerk/busy is resumed: 301 messages handled.\n");
  expect(await desk.texts("clerk/busy")).toEqual(["first", ...texts]);
});

test("resuming waits for a worker, says that none is there, and goes on when one comes", async () => {
  const file = desk.newFile();
  await park("late", file);
  await desk.createFile(file);
  await desk.worker.end("SIGTERM");
  const alone = await desk.run(["park", "resume", "clerk/late", "--timeout", "200ms"]);
  expect(alone.code).toBe(1);
  expect(alone.stderr).toContain("clerk/late was not resumed within 200 ms. No worker hosts");
  await using next = await desk.startWorker();
  await vi.waitFor(async () => expect(await parkedNow()).toEqual([]), { timeout: 20_000 });
  expect(await desk.texts("clerk/late")).toEqual(["first"]);
  expect((await next.end("SIGTERM")).code).toBe(0);
});

test.concurrent.each([
  [["park", "resume", "clerk/nobody"], 1, "clerk/nobody is not parked"],
  [["park", "resume", "clerk"], 2, "type/key"],
  [["park", "resume", "clerk/a", "--timeout", "soon"], 2, "500ms, 30s or 2m"],
  [["park", "resume"], 2, "missing required argument"],
  [["park", "list", "--server", "nats://127.0.0.1:1"], 3, "No NATS server answers"],
  [["park"], 2, "Usage: troupe park"],
])("%j fails", async (args, code, text) => {
  const ended = await desk.run(args);
  expect(ended.code).toBe(code);
  expect(ended.stderr).toContain(text);
});
