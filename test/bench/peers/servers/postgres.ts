/** A PostgreSQL server with fsync on, whose commits do not wait for it. */
import { readFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { execFile } from "node:child_process";

import { findProgram } from "./debian-program.ts";
import { freePort, startProcess, temporaryFolder } from "./local-process.ts";
import type { LocalProcess, Owner } from "./local-process.ts";

export interface Postgres extends LocalProcess {
  readonly url: string;
  readonly version: string;
}

/** The durability that both peers on it have. */
export const postgresDurability =
  "fsync on, synchronous_commit off: acknowledged before fsync, at most 0.6 s later it is on disk";

/** @throws CannotRunError where there is no server program and no Debian package of it */
export async function startPostgres(connectionsMax: number): Promise<Postgres> {
  const folders = ["/usr/lib/postgresql/*/bin"];
  const source = { name: "initdb", folders, debianPackage: "postgresql" };
  const found = await findProgram(source);
  const { environment } = found;
  // Beside the file itself are all the other programs, beside a link to it maybe not.
  const programs = dirname(await realpath(found.path));
  const owner = serverOwner();
  const folder = await temporaryFolder("postgres", owner);
  const run = promisify(execFile);
  const asOwner = { cwd: folder, env: { ...process.env, ...environment }, ...owner };
  const data = join(folder, "data");
  const cluster = ["-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C"];
  await run(join(programs, "initdb"), cluster, asOwner);
  const port = await freePort();
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    port,
    max_connections: connectionsMax,
    synchronous_commit: "off",
    shared_buffers: "512MB",
    max_wal_size: "4GB",
  };
  const program = join(programs, "postgres");
  const { stdout } = await run(program, ["--version"], asOwner);
  const server = await startProcess({
    command: [
      program,
      "-D",
      data,
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    folder,
    environment,
    owner,
    // Ends the connections that are left; the default would wait for them.
    stopSignal: "SIGINT",
    ready: () => isReady(join(programs, "pg_isready"), port, asOwner),
  });
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    version: /\d+\.\d+/.exec(stdout)?.[0] ?? "unknown",
    stop: () => server.stop(),
  };
}

async function isReady(program: string, port: number, options: object): Promise<boolean> {
  await promisify(execFile)(program, ["-q", "-h", "127.0.0.1", "-p", `${port}`], options);
  return true;
}

/** The server refuses to run as root: then it runs as its own user, or as nobody. */
function serverOwner(): Owner {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  const found = ["postgres", "nobody"]
    .map((name) => users.find((line) => line.startsWith(`${name}:`)))
    .find((line) => line !== undefined);
  const [, , uid, gid] = (found ?? "").split(":");
  return uid === undefined || gid === undefined ? {} : { uid: Number(uid), gid: Number(gid) };
}
