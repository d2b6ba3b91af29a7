import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startDeskSystem } from "../../../fixtures/desk-system.ts";
import type { DeskSystem } from "../../../fixtures/desk-system.ts";
import { textWidth } from "../../terminal/width.ts";

let desk: DeskSystem;
let file: string;

interface Listed {
  readonly position: number;
  readonly at: string;
  readonly agent?: string;
  readonly code: string;
}

beforeAll(async () => {
  desk = await startDeskSystem();
  file = desk.newFile();
});

afterAll(() => desk[Symbol.asyncDispose]());

async function listed(...args: readonly string[]): Promise<readonly Listed[]> {
  return (await desk.lines(["dlq", "list", ...args])) as unknown as readonly Listed[];
}

/** Publish a paper that the archive cannot file; its dead letter. */
async function unfiled(source: string, text: string): Promise<Listed> {
  const before = (await listed()).at(-1)?.position ?? 0;
  await desk.run(["publish", "papers", source, JSON.stringify({ text, needs: file })]);
  return vi.waitFor(
    async () => {
      const last = (await listed("--type", "archive")).at(-1);
      expect(last?.position).toBeGreaterThan(before);
      return last as Listed;
    },
    { timeout: 10_000 },
  );
}

async function thereAre(count: number): Promise<void> {
  await vi.waitFor(async () => expect(await listed()).toHaveLength(count), { timeout: 10_000 });
}

async function turns(agent: string): Promise<unknown> {
  return (await desk.lines(["inspect", agent]))[0]?.["turns"];
}

test("there are none at first", async () => {
  const { code, stdout } = await desk.run(["dlq", "list"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "No dead letters.\n" });
});

describe("list and show", () => {
  beforeAll(async () => {
    await unfiled("王小明", "您好，我想查询一下我的账户余额".repeat(5));
    await desk.run(["send", "clerk/ann", "note", '{"text":1}']);
    await desk.publishBare("troupe.topic.papers.a.b", '{"text":"lost"}');
    await thereAre(3);
  });

  test("list shows all in log order, with time, code, tries and message", async () => {
    const all = await listed();
    expect(all).toMatchObject([
      { agent: "archive/王小明", origin: "topic/papers/王小明", attempts: 2 },
      { agent: "clerk/ann", origin: "agent/clerk/ann", code: "schema", attempts: 0 },
      { origin: "topic/papers/a.b", code: "invalid-key", attempts: 0 },
    ]);
    expect(all).toEqual(all.toSorted((a, b) => a.position - b.position));
    expect(Date.parse(all[0]?.at ?? "")).toBeGreaterThan(Date.now() - 600_000);
    const { stdout } = await desk.run(["dlq", "list"]);
    expect(stdout).toMatch(/ clerk\/ann +schema +0 +\S/);
  });

  test("show takes the position of the message that failed, which a feed prints", async () => {
    const letters = await desk.lines(["dlq", "list", "--type", "clerk"]);
    const { position, inputPosition } = letters[0] ?? {};
    const shown = await desk.run(["dlq", "show", String(inputPosition)]);
    expect(shown.stdout).toContain(`Dead letter ${String(position)}\n`);
    const inspected = await desk.lines(["inspect", "clerk/ann"]);
    const [failed] = (inspected[0]?.["last"] ?? []) as readonly { readonly position: number }[];
    const ofTurn = await desk.run(["dlq", "show", String(failed?.position)]);
    expect(ofTurn.stdout).toContain(`Dead letter ${String(position)}\n`);
  });

  test("list filters, and says how many older ones there are", async () => {
    expect(await listed("--type", "clerk", "reader")).toMatchObject([{ agent: "clerk/ann" }]);
    expect(await listed("--code", "invalid-key")).toMatchObject([{ code: "invalid-key" }]);
    const { stdout, stderr } = await desk.run(["dlq", "list", "--last", "1"]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(stderr).toBe("2 older ones are not shown: raise --last.\n");
  });

  test.each([80, 140])("list fits %i columns", async (columns) => {
    const { stdout } = await desk.run(["dlq", "list"], { env: { COLUMNS: String(columns) } });
    const widths = stdout.trimEnd().split("\n").map(textWidth);
    expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
    expect(Math.max(...widths)).toBeGreaterThan(60);
  });

  test("show tells everything and what to do", async () => {
    const [letter] = await listed("--type", "clerk");
    const { code, stdout } = await desk.run(["dlq", "show", String(letter?.position)]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Dead letter ${letter?.position}`);
    expect(stdout).toMatch(/original +at position \d+ since .*, message note/);
    expect(stdout).toContain('Payload (application/msgpack)\n{\n  "text": 1\n}');
    expect(stdout).toContain(`troupe dlq redrive ${letter?.position}`);
    expect(stdout).toContain("troupe inspect clerk/ann");
  });

  test("show gives data, also of what has no agent", async () => {
    const unroutable = await listed("--code", "invalid-key");
    const [shown] = await desk.lines(["dlq", "show", String(unroutable[0]?.position)]);
    expect(shown).toMatchObject({
      kind: "dead-letter",
      payload: { text: "lost" },
      original: { kind: "topic" },
      commands: { drop: `troupe dlq drop ${unroutable[0]?.position}` },
    });
    expect(shown?.["commands"]).not.toHaveProperty("redrive");
  });

  test("tail shows when a dead letter was stored", async () => {
    const lines = await desk.lines(["tail", "--until-now", "--type", "clerk"]);
    const letter = lines.find(({ kind }) => kind === "dead-letter");
    expect(Date.parse(String(letter?.["at"]))).toBeGreaterThan(Date.now() - 600_000);
  });
});

describe("redrive", () => {
  test("reaches only the agent that could not handle a publication, and is no dead letter after", async () => {
    const letter = await unfiled("ann", "a paper");
    const [again] = await desk.lines(["dlq", "redrive", String(letter.position)]);
    expect(again).toMatchObject({ agent: "archive/ann", duplicate: false });
    const second = await vi.waitFor(
      async () => {
        const found = (await listed("--type", "archive")).filter(
          ({ agent }) => agent === letter.agent,
        );
        expect(found).toHaveLength(1);
        expect(found[0]?.position).not.toBe(letter.position);
        return found[0] as Listed;
      },
      { timeout: 10_000 },
    );
    await desk.createFile(file);
    const done = await desk.run(["dlq", "redrive", String(second.position)]);
    expect(done.code).toBe(0);
    expect(done.stdout).toMatch(
      /^Dead letter \d+ is sent again to archive\/ann, at position \d+\.\n$/,
    );
    await vi.waitFor(async () => expect(await desk.texts("archive/ann")).toEqual(["a paper"]), {
      timeout: 10_000,
    });
    expect(await turns("reader/ann")).toBe(1);
    expect(await turns("archive/ann")).toBe(3);
    expect((await listed()).map(({ agent }) => agent)).not.toContain("archive/ann");
  });

  test("of all takes what can be redriven and leaves the rest", async () => {
    const redriven = await desk.run(["dlq", "redrive", "--all", "--json"]);
    expect(redriven.code).toBe(0);
    expect(
      redriven.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([{ agent: "archive/王小明" }, { agent: "clerk/ann" }]);
    expect(redriven.stderr).toContain("has no agent that could get it again");
    // What is still wrong comes back as a new dead letter.
    await vi.waitFor(
      async () =>
        expect((await listed()).map(({ code }) => code).toSorted()).toEqual([
          "invalid-key",
          "schema",
        ]),
      { timeout: 10_000 },
    );
  });

  test("of all leaves asks where they are, because their askers were told", async () => {
    await desk.run(["ask", "clerk/zoe", "note", '{"text":1}']);
    const before = await listed("--type", "clerk");
    const zoe = before.find(({ agent }) => agent === "clerk/zoe");
    const { code, stderr } = await desk.run(["dlq", "redrive", "--all", "--type", "clerk"]);
    expect(code).toBe(0);
    expect(stderr.replaceAll(/\s+/g, " ")).toContain(
      `Dead letter ${zoe?.position} of clerk/zoe was an ask`,
    );
    const named = await desk.run(["dlq", "redrive", String(zoe?.position)]);
    expect(named.stdout).toContain("is sent again to clerk/zoe");
    await vi.waitFor(
      async () => {
        const after = (await listed("--type", "clerk")).find(({ agent }) => agent === "clerk/zoe");
        expect(after?.position).toBeGreaterThan(zoe?.position ?? 0);
        await desk.run(["dlq", "drop", String(after?.position)]);
      },
      { timeout: 10_000 },
    );
    await thereAre(before.length);
  });

  test("of what has no agent fails, and the others go on", async () => {
    const [unroutableLetter] = await listed("--code", "invalid-key");
    const [schema] = await listed("--code", "schema");
    const positions = [unroutableLetter, schema].map((letter) => String(letter?.position));
    const { code, stderr, stdout } = await desk.run(["dlq", "redrive", ...positions, "999999"]);
    expect(code).toBe(1);
    expect(stderr).toContain("topic/papers/a.b is no address");
    expect(stderr).toContain("no dead letter at position 999999");
    expect(stdout).toContain(`Dead letter ${schema?.position} is sent again`);
  });
});

describe("drop", () => {
  test("removes the one at a position, and nothing that is no dead letter", async () => {
    const [letter] = await listed("--code", "invalid-key");
    const dropped = await desk.run(["dlq", "drop", String(letter?.position)]);
    expect(dropped).toMatchObject({ code: 0, stderr: "" });
    expect(dropped.stdout).toBe(
      `Dead letter ${letter?.position} of topic/papers/a.b is dropped.\n`,
    );
    const before = await desk.lines(["tail", "--until-now"]);
    const twice = await desk.run(["dlq", "drop", String(letter?.position), "1", "--json"]);
    expect(twice).toMatchObject({ code: 1, stdout: "" });
    expect(twice.stderr.trimEnd().split("\n")).toHaveLength(2);
    expect(await desk.lines(["tail", "--until-now"])).toEqual(before);
  });

  test("of all removes those that match", async () => {
    await thereAre(1);
    expect(await listed("--code", "schema")).toHaveLength(1);
    const unasked = await desk.run(["dlq", "drop", "--all"]);
    expect(unasked).toMatchObject({ code: 2, stdout: "" });
    expect(unasked.stderr).toContain("Drop 1 dead letter? Nobody can be asked here: give --yes");
    await thereAre(1);
    const dropped = await desk.lines(["dlq", "drop", "--all", "--code", "schema", "--yes"]);
    expect(dropped).toMatchObject([{ agent: "clerk/ann", dropped: true }]);
    expect(await listed()).toEqual([]);
    const none = await desk.run(["dlq", "drop", "--all"]);
    expect(none).toEqual({ code: 0, stdout: "", stderr: "No dead letter matches.\n" });
  });
});

test.concurrent.each([
  [["dlq"], 2, "Usage: troupe dlq"],
  [["dlq", "show"], 2, "missing required argument"],
  [["dlq", "show", "first"], 2, "Write a position"],
  [["dlq", "show", "1"], 1, "no dead letter at position 1"],
  [["dlq", "list", "--last", "none"], 2, "whole number"],
  [["dlq", "list", "--type", "*"], 2, "no usable name"],
  [["dlq", "redrive"], 2, "Which ones?"],
  [["dlq", "drop", "3", "--all"], 2, "not both"],
  [["dlq", "drop", "3", "--code", "schema"], 2, "give --all with them"],
  [["dlq", "drop", "0"], 2, "Write a position"],
  [["dlq", "list", "--server", "nats://127.0.0.1:1"], 3, "No NATS server answers"],
])("%j fails", async (args, code, text) => {
  const ended = await desk.run(args);
  expect(ended.code).toBe(code);
  expect(ended.stderr).toContain(text);
});
