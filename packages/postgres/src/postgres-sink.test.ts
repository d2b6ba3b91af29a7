/** Tests of what is special about PostgreSQL; everything else is in the sink contract. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { agent, createTroupe, projection } from "@troupe/core";
import type { Projection, Troupe } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";

import { openPostgres, tables } from "./index.ts";
import type { Postgres, PostgresModel, Sql } from "./index.ts";
import { sinkFailure } from "./sql-failure.ts";

const amount = z.object({ amount: z.number() });
const account = agent("account")
  .event("deposited", amount, (state) => state)
  .on("deposit", amount, (ctx, message) => ctx.emit.deposited(message));

const setup = `
  create table balance (owner text primary key, amount int not null check (amount < 100));
  create index on balance (amount)`;

function balances(name: string, model = tables(setup)): Projection<PostgresModel> {
  return projection(name, model).on(
    account,
    "deposited",
    async (sql, event, { agent: { key } }) => {
      expectTypeOf(sql).toEqualTypeOf<Sql>();
      expectTypeOf(event).toEqualTypeOf<{ amount: number }>();
      await sql.query(
        `insert into balance values ($1, $2)
       on conflict (owner) do update set amount = balance.amount + excluded.amount`,
        [key, event.amount],
      );
    },
  );
}

let folder: string;
let postgres: Postgres;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-pglite-"));
  postgres = await openPostgres({ url: false, folder: join(folder, "data") });
});
afterAll(async () => {
  await postgres.close();
  await rm(folder, { recursive: true });
});

async function bank(): Promise<Troupe> {
  const troupe = createTroupe(createMemoryBroker().connect());
  await troupe.work(account, { timings: { joinDelayMs: 0 } });
  await troupe.agent(account, "alice").deposit({ amount: 60 });
  return troupe;
}

test("the tables are the projection's name for everybody else", async () => {
  await using troupe = await bank();
  await using running = await troupe.project(balances("balances"), postgres);
  await running.caughtUp();
  const { rows } = await postgres.query<{ amount: number }>("select amount from balances.balance");
  expect(rows).toEqual([{ amount: 60 }]);
});

test("a schema that was there before is never taken, nor dropped", async () => {
  await using troupe = await bank();
  await postgres.query("create schema mine");
  const taken = troupe.project(balances("mine"), postgres, { rebuild: true });
  await expect(taken).rejects.toThrow("The schema mine is there already");
  const elsewhere = balances("mine", tables(setup, { schema: "mine_too" }));
  await using running = await troupe.project(elsewhere, postgres, { rebuild: true });
  await running.caughtUp();
  const { rows } = await postgres.query("select amount from mine_too.balance");
  expect(rows).toEqual([{ amount: 60 }]);
});

test("a name that PostgreSQL would cut is refused", async () => {
  await using troupe = await bank();
  const long = troupe.project(balances("a".repeat(64)), postgres);
  await expect(long).rejects.toMatchObject({ code: "definition" });
});

test("a constraint that a handler breaks is a poison event, and the model stays", async () => {
  await using troupe = await bank();
  const running = await troupe.project(balances("constrained"), postgres);
  await running.caughtUp();
  await troupe.agent(account, "alice").deposit({ amount: 60 });
  await expect(running.ended).rejects.toMatchObject({
    code: "poison-event",
    details: { agent: "account/alice", event: "deposited" },
  });
  const { rows } = await postgres.query("select amount from constrained.balance");
  expect(rows).toEqual([{ amount: 60 }]);
});

test("a handler that hides an error of the database cannot get its transaction through", async () => {
  await using troupe = await bank();
  const hiding = projection("hiding", tables(setup)).on(account, "deposited", async (sql) => {
    await sql.query("select nonsense").catch(() => undefined);
  });
  const running = await troupe.project(hiding, postgres);
  await expect(running.ended).rejects.toMatchObject({ code: "sink-refused" });
});

test("tables that cannot be made are refused by name, and leave nothing behind", async () => {
  await using troupe = await bank();
  const broken = balances("broken", tables("create table balance (owner nonsense)"));
  await expect(troupe.project(broken, postgres)).rejects.toMatchObject({
    code: "sink-refused",
    details: { projection: "broken" },
  });
  const { rows } = await postgres.query("select 1 from pg_namespace where nspname = 'broken'");
  expect(rows).toEqual([]);
});

describe("an error of the database", () => {
  test.each([
    [Object.assign(new Error("refused"), { code: "ECONNREFUSED" }), "sink-unavailable"],
    [Object.assign(new Error("shutting down"), { code: "57P01" }), "sink-unavailable"],
    [Object.assign(new Error("deadlock"), { code: "40P01" }), "sink-unavailable"],
    [new Error("Connection terminated unexpectedly"), "sink-unavailable"],
    [new Error("handler", { cause: new Error("Connection terminated") }), "sink-unavailable"],
    [Object.assign(new Error("no right"), { code: "42501" }), "sink-refused"],
  ])("%s is %s", (thrown, code) => {
    expect(sinkFailure("balances", thrown)).toMatchObject({ code, cause: thrown });
  });

  test("is told from one of the program", () => {
    const own = new Error("mine");
    expect(sinkFailure("balances", own)).toBe(own);
  });
});
