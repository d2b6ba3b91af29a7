/** Looks for an installed nats-server on PATH. */

import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

import type { Finder, FinderContext, NatsServerBinary } from "./finder.ts";
import { requireNewEnough } from "./server-version.ts";

/** Takes the first `nats-server` on PATH that is new enough. */
export const pathFinder: Finder = { place: "PATH", find: findOnPath };

async function findOnPath(context: FinderContext): Promise<NatsServerBinary> {
  const reasons: string[] = [];
  for (const folder of (context.environment["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, process.platform === "win32" ? "nats-server.exe" : "nats-server");
    if (folder === "" || !(await isExecutable(path))) continue;
    try {
      return { path, version: await requireNewEnough(path, context.signal) };
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  throw new Error(reasons.length > 0 ? reasons.join("; ") : "it has no nats-server");
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
