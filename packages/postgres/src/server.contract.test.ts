/** The sink on a real server: skipped where there is none. */
import { sinkContract } from "@troupe/contracts";
import { Pool } from "pg";
import { afterAll, describe, expect, test } from "vitest";

import { localServer, noServer } from "../fixtures/local-server.ts";
import { postgresHarness } from "../fixtures/sink-harness.ts";

const server = await localServer();
const pool = new Pool({ connectionString: server?.url });
pool.on("error", () => undefined);

afterAll(async () => {
  await pool.end();
  await server?.[Symbol.asyncDispose]();
});

test("a real server is there", ({ skip }) => {
  skip(server === undefined, noServer);
  expect(server?.url).toMatch(/^postgres/);
});

describe.skipIf(server === undefined)("on a real server", () => {
  sinkContract("PostgreSQL", async () => postgresHarness(pool));
});
