/**
 * `npm run packed`: the whole way in of test/packed, of which every test run does the short form.
 */
import { spawnSync } from "node:child_process";

const env = { ...process.env, TROUPE_PACKED: "whole" };
const { status } = spawnSync("vitest run test/packed", { env, shell: true, stdio: "inherit" });
process.exitCode = status ?? 1;
