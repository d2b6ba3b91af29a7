/** The sink in a PGlite inside the process. */
import { PGlite } from "@electric-sql/pglite";
import { sinkContract } from "@troupe/contracts";
import { afterAll, beforeAll } from "vitest";

import { postgresHarness } from "../fixtures/sink-harness.ts";

let pglite: PGlite;

beforeAll(async () => {
  pglite = await PGlite.create();
});
afterAll(() => pglite.close());

sinkContract("PostgreSQL in PGlite", async () => postgresHarness(pglite));
