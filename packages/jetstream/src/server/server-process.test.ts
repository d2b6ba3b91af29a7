/**
 * Real parents, really killed. Each test runs a node process that starts servers the way
 * `startNatsServer` does, ends it in one way or another, and waits for the servers to be gone.
 */

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, describe, expect, test } from "vitest";

import { findNatsServer } from "./binary/find-nats-server.ts";
import { createServerHome, logLinesSince, removeServerHome } from "./server-home.ts";
import { spawnServer } from "./server-process.ts";
import { isHealthy } from "./server-ready.ts";

type StartedServer = {
  readonly pid: number;
  readonly folder: string;
  readonly monitoringUrl: string;
};

/** Ways in which a parent ends after it has started its servers and said so. */
const endings = {
  waits: "setInterval(() => {}, 1000);",
  returns: "",
  exits: "process.exit(0);",
  throws: 'throw new Error("a bug in the application");',
} as const;

/** A watchdog takes well under a second; this is what "never" means to these tests. */
const neverMs = 3_000;

const toKill = new Set<number>();

afterEach(() => {
  for (const pid of toKill) if (isRunning(pid)) process.kill(pid, "SIGKILL");
  toKill.clear();
});

describe.skipIf(process.platform === "win32")("a server whose parent", () => {
  test("is killed with SIGKILL goes away, with its temporary folder", async () => {
    const { parent, servers } = await startParent("waits", { count: 2 });
    for (const { monitoringUrl } of servers) expect(await isHealthy(monitoringUrl)).toBe(true);
    parent.kill("SIGKILL");
    await exitOf(parent);
    for (const server of servers) await untilGone(server);
  });

  test("is killed with SIGKILL stays when there is no watchdog", async () => {
    const { parent, servers } = await startParent("waits", { watchdog: false });
    parent.kill("SIGKILL");
    await exitOf(parent);
    for (const server of servers) {
      const gone = untilGone(server, neverMs).then(() => "gone");
      expect(await gone.catch(() => "still there")).toBe("still there");
      expect(await isHealthy(server.monitoringUrl)).toBe(true);
      process.kill(server.pid, "SIGKILL");
      await rm(server.folder, { recursive: true, force: true });
    }
  });

  test.each([
    ["comes to its end", "returns", 0],
    ["calls process.exit", "exits", 0],
    ["dies of an uncaught error", "throws", 1],
  ] as const)("%s goes away, with its temporary folder", async (_, ending, exitCode) => {
    const { parent, servers } = await startParent(ending);
    expect(await exitOf(parent)).toBe(exitCode);
    for (const server of servers) await untilGone(server);
  });

  test("dies of SIGINT, SIGTERM or SIGHUP goes away", async () => {
    const dies = async (signal: NodeJS.Signals): Promise<void> => {
      const { parent, servers } = await startParent("waits");
      parent.kill(signal);
      await exitOf(parent);
      expect(parent.signalCode).toBe(signal);
      for (const server of servers) await untilGone(server);
    };
    await Promise.all([dies("SIGINT"), dies("SIGTERM"), dies("SIGHUP")]);
  });
});

describe.skipIf(process.platform === "win32")("a server process", () => {
  test("does not hear Ctrl-C: it is in a session of its own", async () => {
    const { parent, servers } = await startParent("waits");
    const [server] = servers;
    expect(groupOf(server?.pid ?? 0)).not.toBe(groupOf(parent.pid ?? 0));
    parent.kill("SIGKILL");
    await untilGone(server);
  });

  test("is forced when it does not heed SIGTERM", async () => {
    const home = await createServerHome({});
    const binaryPath = join(home.folder, "stubborn");
    const script = "#!/bin/sh\ntrap '' TERM\necho ready\nwhile :; do sleep 0.05; done\n";
    await writeFile(binaryPath, script, { mode: 0o755 });
    const server = await spawnServer({ ...home, binaryPath, folderToRemove: home.folder });
    await expect.poll(() => logLinesSince(home, 0, 1)).toEqual(["ready"]);
    await server.stop(100);
    expect(server.ending()).toBe("SIGKILL");
    await removeServerHome(home);
  });

  test.runIf(process.platform === "linux")("does not inherit the pipe", async () => {
    const home = await createServerHome({});
    const binaryPath = join(home.folder, "curious");
    const script = "#!/bin/sh\n[ -e /proc/$$/fd/3 ] && echo inherited || echo none\n";
    await writeFile(binaryPath, script, { mode: 0o755 });
    const server = await spawnServer({ ...home, binaryPath, folderToRemove: home.folder });
    await server.exited;
    expect(await logLinesSince(home, 0, 1)).toEqual(["none"]);
    await removeServerHome(home);
  });

  test.runIf(process.platform === "linux")("leaves no watchdog behind", async () => {
    const home = await createServerHome({});
    await writeFile(home.configPath, 'listen: "127.0.0.1:-1"\n');
    const binaryPath = (await findNatsServer()).path;
    const server = await spawnServer({ ...home, binaryPath, folderToRemove: home.folder });
    await expect.poll(() => watchdogsOf(home.folder)).toHaveLength(1);
    await server.stop(5_000);
    await expect.poll(() => watchdogsOf(home.folder)).toHaveLength(0);
    expect(existsSync(home.folder)).toBe(true);
    await removeServerHome(home);
  });
});

async function startParent(
  ending: keyof typeof endings,
  { count = 1, watchdog = true }: { count?: number; watchdog?: boolean } = {},
): Promise<{ parent: ChildProcess; servers: StartedServer[] }> {
  const script = `
    import { findNatsServer } from ${urlOf("./binary/find-nats-server.ts")};
    import { launchServer } from ${urlOf("./launch-server.ts")};
    import { createServerHome } from ${urlOf("./server-home.ts")};
    const settings = { host: "127.0.0.1", maxPayloadBytes: 1024, startTimeoutMs: 20000 };
    const servers = [];
    for (let number = 1; number <= ${count}; number += 1) {
      const home = await createServerHome({});
      const binaryPath = (await findNatsServer()).path;
      const server = await launchServer({ ...settings, home, binaryPath, watchdog: ${watchdog} });
      const { process: { pid }, monitoringUrl } = server;
      servers.push({ pid, monitoringUrl, folder: home.folder });
    }
    console.log(JSON.stringify(servers));
    ${endings[ending]}
  `;
  const parent = spawn(
    process.execPath,
    [...process.execArgv, "--input-type=module", "--eval", script],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  const servers = JSON.parse(await firstLineOf(parent)) as StartedServer[];
  for (const { pid } of servers) toKill.add(pid);
  return { parent, servers };
}

function urlOf(module: string): string {
  return JSON.stringify(new URL(module, import.meta.url).href);
}

function firstLineOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      if (text.includes("\n")) resolve(text.split("\n")[0] ?? "");
    });
    child.once("exit", () => reject(new Error(`the parent said only: ${text}`)));
  });
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve(child.exitCode);
  }
  return new Promise((resolve) => child.once("exit", (code) => resolve(code)));
}

async function untilGone(server: StartedServer | undefined, timeout = 15_000): Promise<void> {
  await expect.poll(() => isRunning(server?.pid ?? 0), { timeout, interval: 20 }).toBe(false);
  await expect.poll(() => existsSync(server?.folder ?? ""), { timeout, interval: 20 }).toBe(false);
}

/** A process that has ended but was not collected by anybody does not count. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return process.platform !== "linux" || statusOf(pid)[0] !== "Z";
}

function groupOf(pid: number): string | undefined {
  return statusOf(pid)[2];
}

/** The fields of /proc/<pid>/stat after the name: state, parent, group, …. */
function statusOf(pid: number): string[] {
  try {
    return (readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1] ?? "").split(" ");
  } catch {
    return ["Z"];
  }
}

function watchdogsOf(folder: string): string[] {
  return readdirSync("/proc").filter((entry) => {
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, "utf8");
      return command.includes("nats-server-watchdog") && command.includes(folder);
    } catch {
      return false;
    }
  });
}
