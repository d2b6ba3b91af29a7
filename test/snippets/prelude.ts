/**
 * Things that the examples of calls use without declaring them: an account with a balance, and what
 * a program has at hand. Only types count here; nothing of it runs.
 */
import {
  agent,
  memoryModel,
  memorySink,
  pipeline,
  projection,
  topic,
  type BatchContext,
  type BatchItem,
  type Context,
  type RunningProjection,
  type Troupe,
  type TroupeError,
  type Worker,
} from "@troupe/core";
import type { Archive, ArchiveStore, ChainManifest } from "@troupe/core/archive";
import type { Input, Log } from "@troupe/core/log";
import type { InspectionFeed } from "@troupe/core/operate";
import type { LogHarness, SinkHarness, StoreHarness } from "@troupe/contracts";
import type { PostgresPool, Postgres, Sql } from "@troupe/postgres";
import type {
  Chance,
  History,
  MemoryBroker,
  MemoryConnection,
  Stage,
  System,
} from "@troupe/testing";
import { z } from "zod";

export const inquiries = topic("inquiries", z.object({ text: z.string() }));

export const account = agent("account")
  .state({ balance: 0 })
  .event("deposited", z.object({ amount: z.number() }), ({ balance }, { amount }) => ({
    balance: balance + amount,
  }))
  .event("withdrawn", z.object({ amount: z.number() }), ({ balance }, { amount }) => ({
    balance: balance - amount,
  }))
  .on("deposit", z.object({ amount: z.number() }), (ctx, { amount }) => {
    ctx.emit.deposited({ amount });
    return ctx.state.balance;
  });

export const teller = agent("teller").on("pay", z.object({ amount: z.number() }), (ctx, message) =>
  ctx.ask(account, "bob").deposit(message),
);

export const conversation = agent("conversation").subscribe(inquiries, () => undefined);

export const balances = projection(
  "balances",
  memoryModel(() => new Map<string, number>()),
).on(
  account,
  "deposited",
  (model, { amount }, { agent: { key } }) => void model.set(key, (model.get(key) ?? 0) + amount),
);

export const enrich = pipeline("enrich", z.object({ url: z.string() }))
  .stage("fetch", () => "a page")
  .stage("sum-up", () => "short");

export const sink = memorySink();

export declare const archive: Archive;
export declare const batchContext: BatchContext;
export declare const broker: MemoryBroker;
export declare const bytes: Uint8Array;
export declare const chance: Chance;
export declare const connection: MemoryConnection;
export declare const ctx: Context<
  { readonly balance: number },
  { readonly deposited: { readonly amount: number } }
>;
export declare const deadLetter: { readonly inputPosition: number };
export declare const failure: ReturnType<TroupeError["toData"]>;
export declare const feed: InspectionFeed;
export declare const history: History;
export declare const input: Input;
export declare const item: BatchItem<unknown, unknown, unknown, unknown>;
export declare const log: Log;
export declare const manifest: ChainManifest;
/** A client of a language model. */
export declare const model: {
  complete(prompt: string, idempotencyKey?: string): Promise<string>;
  embed(texts: readonly string[]): Promise<readonly (readonly number[])[]>;
};
export declare const pool: PostgresPool;
export declare const position: number;
export declare const postgres: Postgres;
export declare const running: RunningProjection;
export declare const setupLog: () => Promise<LogHarness>;
export declare const setupSink: () => Promise<SinkHarness>;
export declare const setupStore: () => Promise<StoreHarness>;
export declare const sql: Sql;
export declare const stage: Stage;
export declare const store: ArchiveStore;
export declare const system: System;
export declare const text: string;
export declare const texts: readonly string[];
export declare const thrown: unknown;
export declare const troupe: Troupe;
export declare const url: string;
export declare const worker: Worker;
