/**
 * Runs programs of the documentation one after the other in this process, each on a broker and in a
 * folder of its own: what they import is loaded once. Their error streams are told apart by a line
 * before each. Ends with 1 when one of them fails.
 *
 * Usage: node run-all.ts PROGRAM…
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

import { startNatsServer } from "@troupe/jetstream/server";

for (const path of process.argv.slice(2)) {
  await using server = await startNatsServer();
  const folder = await mkdtemp(join(tmpdir(), "troupe-snippet-"));
  process.env["TROUPE_NATS_URL"] = server.url;
  process.chdir(folder);
  process.stderr.write(`\n── ${path}\n`);
  try {
    await import(pathToFileURL(path).href);
  } catch (error) {
    process.stderr.write(`${inspect(error)}\n`);
    process.exitCode = 1;
  }
  process.chdir(tmpdir());
  await rm(folder, { recursive: true, force: true });
}
