/**
 * Follows a page as a reader does: saves the files that it shows (`save=PATH`) and types its
 * commands, in their order, in a folder that has nothing in it.
 *
 * Three things differ from the reader's: packages of this repository come from tarballs, the broker
 * takes a port that is free, and what the page leaves running is stopped in the end.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { cleanEnvironment } from "./npm.ts";

/** A command that ends, and what it printed. */
export interface Typed {
  readonly command: string;
  readonly code: number | null;
  readonly output: string;
}

export interface WalkOptions {
  /** Folder in which the page begins. */
  readonly folder: string;
  readonly port: number;
  /**
   * The tarballs in place of the packages that a command installs. One that a command before it has
   * brought along is left out.
   */
  readonly replaceInstall: (names: readonly string[]) => readonly string[];
}

const blocks = /^```(sh|\w+ save=(\S+))\n(.*?)^```$/gms;
const hangsAfterMs = 240_000;
/** Commands that the page leaves running, each with what it prints when it is ready. */
const lasting = [
  [/^npx troupe dev\b/, /nats:\/\//],
  [/^npx troupe work\b/, /\S/],
] as const;

/** Resolves with every command that ended, in order. */
export async function walk(markdown: string, options: WalkOptions): Promise<Typed[]> {
  const running: ChildProcess[] = [];
  const typed: Typed[] = [];
  const adapted = adapter(options);
  let cwd = options.folder;
  try {
    for (const [, , save, text = ""] of markdown.matchAll(blocks)) {
      if (save !== undefined) {
        await mkdir(dirname(join(cwd, save)), { recursive: true });
        await writeFile(join(cwd, save), text);
        continue;
      }
      for (const command of text.trim().split("\n")) {
        const folder = /^cd (\S+)$/.exec(command)?.[1];
        const ready = lasting.find(([pattern]) => pattern.test(command))?.[1];
        if (folder !== undefined) cwd = join(cwd, folder);
        else if (ready === undefined) {
          const child = open(adapted(command), cwd, options);
          typed.push({ command, ...(await outcome(child)) });
        } else {
          const child = open(adapted(command), cwd, options);
          running.push(child);
          await untilReady(child, ready);
        }
      }
    }
  } finally {
    for (const child of running.toReversed()) await stop(child);
  }
  return typed;
}

async function outcome(child: ChildProcess): Promise<Omit<Typed, "command">> {
  const output: string[] = [];
  hear(child, (text) => output.push(text));
  const late = setTimeout(() => child.kill("SIGKILL"), hangsAfterMs);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(late);
  return { code, output: output.join("") };
}

async function untilReady(child: ChildProcess, ready: RegExp): Promise<void> {
  let output = "";
  await new Promise<void>((resolve, reject) => {
    hear(child, (text) => {
      output += text;
      if (ready.test(output)) resolve();
    });
    child.once("close", () => reject(new Error(`ended before it was ready: ${output}`)));
  });
}

function hear(child: ChildProcess, listen: (text: string) => void): void {
  child.stdout?.on("data", (chunk: Buffer) => listen(chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => listen(chunk.toString()));
}

/**
 * In a process group of its own: npx starts the command in a child, and both have to hear of it.
 */
function open(command: string, cwd: string, { port }: WalkOptions): ChildProcess {
  const env = cleanEnvironment({ TROUPE_NATS_URL: `nats://127.0.0.1:${port}`, NO_COLOR: "1" });
  const stdio = ["ignore", "pipe", "pipe"] as const;
  return spawn(command, { cwd, env, shell: true, detached: true, stdio: [...stdio] });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const closed = once(child, "close");
  process.kill(-child.pid, "SIGTERM");
  await closed;
}

/** The command that is typed in place of a command of the page. */
function adapter({ port, replaceInstall }: WalkOptions): (command: string) => string {
  const installed = new Set<string>();
  return (command) => {
    if (/^npx troupe dev\b/.test(command)) return `${command} --port ${port}`;
    if (!/^npm install\b/.test(command)) return command;
    const words = command.split(" ");
    const ours = (word: string): boolean => word.startsWith("@troupe/");
    const tarballs = replaceInstall(words.filter(ours)).filter((path) => !installed.has(path));
    for (const path of tarballs) installed.add(path);
    const others = words.filter((word) => !ours(word));
    return [...others, ...tarballs, "--no-audit", "--no-fund", "--prefer-offline"].join(" ");
  };
}
