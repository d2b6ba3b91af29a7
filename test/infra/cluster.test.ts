/**
 * What infra/ ships runs: the configuration files are valid, the compose file names what is there,
 * and three servers with exactly these files are a cluster that loses one of them without losing
 * anything.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { agent, type Troupe } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { findNatsServer } from "@troupe/jetstream/server";
import { describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

import { clusterFile, passwords, startShippedCluster } from "./shipped-cluster.ts";

const run = promisify(execFile);
const infra = fileURLToPath(new URL("../../infra/", import.meta.url));

const account = agent("account")
  .state({ balance: 0 })
  .event("added", z.object({ amount: z.number() }), ({ balance }, { amount }) => ({
    balance: balance + amount,
  }))
  .on("deposit", z.object({ amount: z.number() }), (ctx, message) => {
    ctx.emit.added(message);
    return ctx.state.balance;
  });

describe("a configuration file", () => {
  test.for([clusterFile, join(infra, "nats", "server.conf")])("%s is valid", async (file) => {
    const { path } = await findNatsServer();
    const { stderr } = await run(path, ["-t", "-c", file], {
      env: { ...process.env, ...passwords },
    });
    expect(stderr).toMatch(/is valid/);
  });

  test("the server refuses one without a password", async () => {
    const { path } = await findNatsServer();
    const env = { ...process.env, ...passwords, TROUPE_ROUTE_PASSWORD: undefined };
    await expect(run(path, ["-t", "-c", clusterFile], { env })).rejects.toThrow(/TROUPE_ROUTE/);
  });
});

interface Service {
  readonly image: string;
  readonly command: readonly string[];
  readonly volumes: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

describe("the compose file", () => {
  test("starts the servers that the cluster expects, with every password that it needs", async () => {
    const text = await readFile(join(infra, "compose", "compose.yaml"), "utf8");
    const file = parse(text, { merge: true }) as {
      readonly services: Readonly<Record<string, Service>>;
      readonly volumes: object;
    };
    const routes = (await readFile(clusterFile, "utf8")).match(/(?<=nats:\/\/)[\w-]+(?=:6222)/g);
    expect(Object.keys(file.services)).toEqual(routes);
    expect(Object.keys(file.volumes)).toEqual(routes);
    for (const [name, { command, environment, volumes }] of Object.entries(file.services)) {
      expect(command).toEqual(expect.arrayContaining(["/etc/troupe/cluster.conf", name, "/data"]));
      expect(volumes).toEqual(["../nats:/etc/troupe:ro", `${name}:/data`]);
      expect(Object.keys(environment).toSorted()).toEqual(Object.keys(passwords).toSorted());
    }
    expect(existsSync(join(infra, "compose", "../nats/cluster.conf"))).toBe(true);
    const example = await readFile(join(infra, "compose", ".env.example"), "utf8");
    expect(example.match(/^\w+(?==)/gm)?.toSorted()).toEqual(Object.keys(passwords).toSorted());
  });
});

test("three servers with these files lose one and lose nothing", { timeout: 180_000 }, async () => {
  await using cluster = await startShippedCluster();
  await using operator = await connectWhenReady(() =>
    connect({ ...cluster.as("operator"), replicas: 3, startTimeoutMs: 60_000 }),
  );
  await using worker = await connect({ ...cluster.as("worker"), replicas: 3, onFault: false });
  await worker.work(account);
  await using asker = await connect({ ...cluster.as("asker"), replicas: 3, onFault: false });
  const alice = asker.agent(account, "alice", { timeoutMs: 60_000 });
  expect(await alice.deposit({ amount: 1 })).toBe(1);
  expect(operator.log.partitions).toBe(16);
  // As a container is stopped, and as a machine loses power.
  await cluster.stop(0);
  expect(await alice.deposit({ amount: 1 })).toBe(2);
  cluster.start(0);
  expect(await alice.deposit({ amount: 1 })).toBe(3);
  await connectWhenReady(() => connectAndClose(cluster.urls[0] ?? "", cluster.as("asker")));
  await cluster.kill(1);
  expect(await alice.deposit({ amount: 1 })).toBe(4);
});

/** A cluster elects its leaders when its servers have found one another. */
function connectWhenReady<T>(attempt: () => Promise<T>): Promise<T> {
  return vi.waitFor(attempt, { timeout: 60_000, interval: 500 });
}

async function connectAndClose(servers: string, user: object): Promise<void> {
  const troupe: Troupe = await connect({ ...user, servers, replicas: 3, onFault: false });
  await troupe.close();
}
