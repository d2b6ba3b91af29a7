import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { startBankSystem } from "../../../fixtures/bank-system.ts";
import type { BankSystem } from "../../../fixtures/bank-system.ts";
import { bankModule } from "../../../fixtures/troupe-process.ts";

let bank: BankSystem;
let directory: string;

beforeAll(async () => {
  bank = await startBankSystem();
  directory = await mkdtemp(join(tmpdir(), "troupe-archive-"));
  for (const amount of [1, 2, 4]) {
    await bank.run(["ask", "account/ann", "deposit", JSON.stringify({ amount })]);
  }
});

afterAll(async () => {
  await bank[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

test("without the name of an archive says how to name one", async () => {
  const { code, stderr } = await bank.run(["archive", "list"]);
  expect(code).toBe(2);
  expect(stderr).toContain("--archive or TROUPE_ARCHIVE");
  const foreign = await bank.run(["archive", "list", "--archive", "ftp://host/path"]);
  expect(foreign.code).toBe(2);
  expect(foreign.stderr).toContain("neither a directory nor s3://");
});

test("keeps what there is, lists it, and finds it whole", async () => {
  const archive = ["--archive", directory];
  expect((await bank.run(["archive", "list", ...archive])).stdout).toMatch(/^Nothing of .* yet/);
  const kept = await bank.run(["archive", "keep", "account", ...archive]);
  expect(kept.stdout).toMatch(/^agent\/account {2}archived up to position \d+\n$/);
  expect((await bank.run(["archive", "keep", "acount", ...archive])).stderr).toContain(
    "there are:",
  );
  const listed = await bank.run(["archive", "list", ...archive]);
  expect(listed.stdout).toMatch(/agent\/account +\d+ +3 +3 +1 /);
  const { chains } = JSON.parse(
    (await bank.run(["archive", "list", "--json", ...archive])).stdout,
  ) as { readonly chains: readonly { readonly segments: readonly object[] }[] };
  expect(chains[0]?.segments).toMatchObject([{ records: 3, entries: 6, keys: 1 }]);
  const checked = await bank.run(["archive", "check", ...archive]);
  expect(checked).toMatchObject({ code: 0 });
  expect(checked.stdout).toMatch(/^agent\/account {2}whole {2}1 segment, 6 entries, \d+ B\n$/);
});

test("inspect reads it with the log as one", async () => {
  const wanted = await bank.run(["inspect", "account/ann", "--module", bankModule, "--json"]);
  const args = ["inspect", "account/ann", "--module", bankModule, "--json"];
  const found = await bank.run([...args, "--archive", directory]);
  expect(JSON.parse(found.stdout)).toEqual(JSON.parse(wanted.stdout));
});

test("names what is damaged, and ends with 1", async () => {
  const files = await readdir(directory, { recursive: true });
  const segment = files.find((file) => /segments\/[^.]+$/.test(file)) ?? "";
  await writeFile(join(directory, segment), "something else");
  const checked = await bank.run(["archive", "check", "--archive", directory]);
  expect(checked.code).toBe(1);
  expect(checked.stdout).toContain("1 segment missing or damaged");
  expect(checked.stdout).toContain("is damaged");
  const args = ["inspect", "account/ann", "--archive", directory];
  const inspected = await bank.run(args);
  expect(inspected.code).toBe(1);
  expect(inspected.stderr).toContain("account/ann");
});
