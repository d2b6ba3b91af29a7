import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runTroupe, TroupeProcess } from "../../fixtures/troupe-process.ts";

interface Started {
  readonly url: string;
  readonly pid: number;
}

let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "troupe-dev-"));
});

afterAll(() => rm(project, { recursive: true }));

async function started(dev: TroupeProcess): Promise<Started> {
  await dev.shows("}\n");
  return JSON.parse(dev.stdout) as Started;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("keeps its data in the project, out of version control, and stops the broker on Ctrl-C", async () => {
  const publish = ["publish", "payments", "shop", '{"amount":1}'];
  for (const position of [1, 2]) {
    await using dev = new TroupeProcess(["dev", "--port", "0", "--json"], { cwd: project });
    const { pid, url } = await started(dev);
    const published = await runTroupe(["--server", url, ...publish]);
    expect(published.stdout).toBe(`Published on payments at position ${position}.\n`);
    expect(await dev.end("SIGINT")).toMatchObject({ code: 0, stderr: "" });
    expect(isAlive(pid)).toBe(false);
  }
  expect(await readFile(join(project, ".troupe", ".gitignore"), "utf8")).toBe("*\n");
});

test("says how to connect and what to do next", async () => {
  const args = ["dev", "--port", "0", "--store", "elsewhere", "--namespace", "acme.support"];
  await using dev = new TroupeProcess(args, { cwd: project });
  await dev.shows("Ctrl-C stops the broker.");
  expect(dev.stdout).toMatch(/Broker +nats:\/\/127\.0\.0\.1:\d+ +\(nats-server 2\./);
  expect(dev.stdout).toMatch(/Data +elsewhere /);
  expect(dev.stdout).toContain("export TROUPE_NAMESPACE=acme.support");
  expect(dev.stdout).toContain("troupe work ./agents.ts");
  const { code, stderr } = await dev.end("SIGTERM");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "Stopping the broker; its data stays.\n" });
});

test("says that a NATS server has the port already", async () => {
  await using dev = new TroupeProcess(["dev", "--port", "0", "--json"], { cwd: project });
  const { url } = await started(dev);
  const port = new URL(url).port;
  const second = await runTroupe(["dev", "--port", port], { cwd: project });
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(/A NATS server \(2\.\S+\) listens on port \d+ already/);
});

test("says that another program has the port", async () => {
  const other = createServer((socket) => socket.end("hello")).listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const dev = await runTroupe(["dev", "--port", String(port)], { cwd: project });
  other.close();
  expect(dev).toMatchObject({ code: 1, stdout: "" });
  expect(dev.stderr).toContain(`Port ${port} is taken by another program`);
});

test("says that the store is in use", async () => {
  const args = ["dev", "--port", "0", "--store", "shared", "--json"];
  await using dev = new TroupeProcess(args, { cwd: project });
  await started(dev);
  const second = await runTroupe(args, { cwd: project });
  expect(second.code).toBe(1);
  expect(second.stderr).toContain("is in use");
});

test("ends with an error when the broker ends by itself", async () => {
  const args = ["dev", "--port", "0", "--store", "crashed", "--json"];
  await using dev = new TroupeProcess(args, { cwd: project });
  const { pid } = await started(dev);
  process.kill(pid, "SIGKILL");
  const ended = await dev.finished;
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain("The broker ended by itself");
});

test.each([["-1"], ["70000"], ["x"]])("--port %s is wrong usage", async (port) => {
  const { code, stderr } = await runTroupe(["dev", `--port=${port}`], { cwd: project });
  expect(code).toBe(2);
  expect(stderr).toContain("whole number from 0 to 65535");
});
