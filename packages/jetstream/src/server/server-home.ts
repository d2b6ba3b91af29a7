/** The temporary folder of a server: its configuration, log and, by default, its store. */

import { mkdir, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The files of one server. */
export type ServerHome = {
  readonly folder: string;
  readonly storeDir: string;
  readonly configPath: string;
  readonly logPath: string;
  readonly portsFolder: string;
};

/** Bytes of a log's end that are looked at. */
const logTailSizeMax = 16 * 1024;

/** Makes the folder; a store or log path given by the caller stays outside it. */
export async function createServerHome(given: {
  readonly storeDir?: string;
  readonly logFile?: string;
}): Promise<ServerHome> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-nats-"));
  const home: ServerHome = {
    folder,
    storeDir: given.storeDir === undefined ? join(folder, "store") : resolve(given.storeDir),
    configPath: join(folder, "nats-server.conf"),
    logPath: given.logFile === undefined ? join(folder, "nats-server.log") : resolve(given.logFile),
    portsFolder: join(folder, "ports"),
  };
  await mkdir(home.storeDir, { recursive: true });
  await mkdir(home.portsFolder);
  return home;
}

/** Removes the temporary folder, and the store when it is in there. */
export function removeServerHome(home: ServerHome): Promise<void> {
  return rm(home.folder, { recursive: true, force: true, maxRetries: 3 });
}

/** The size of the log so far, in bytes. */
export async function logSizeOf(home: ServerHome): Promise<number> {
  return stat(home.logPath).then(
    ({ size }) => size,
    () => 0,
  );
}

/** The last lines of the log that were written after its first `position` bytes. */
export async function logLinesSince(
  home: ServerHome,
  position: number,
  linesMax: number,
): Promise<string[]> {
  const file = await open(home.logPath, "r").catch(() => undefined);
  if (file === undefined) return [];
  try {
    const { size } = await file.stat();
    const start = Math.max(position, size - logTailSizeMax);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    await file.read(buffer, 0, buffer.length, start);
    return buffer.toString("utf8").trimEnd().split("\n").slice(-linesMax).filter(Boolean);
  } finally {
    await file.close();
  }
}
