/**
 * A message for which an account has no room now comes when there is room: temporary is never
 * final.
 */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { agent as agentOf, createTroupe } from "@troupe/core";
import { LogUnavailableError } from "@troupe/core/errors";
import { partitionOfToken, type Input, type Log } from "@troupe/core/log";
import { expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";

import { connectLog } from "./index.ts";
import { startNatsServer } from "./server/index.ts";

const address = { kind: "agent", name: "account", key: "alice" } as const;
const agent = { type: "account", key: "alice" };
const draft = { address, metadata: {}, payload: Buffer.from("{}") };
const patience = { timeout: 20_000 };

async function inAccount(limits: string): Promise<{ log: Log; nats: NatsConnection }> {
  const account = `accounts { A { jetstream { ${limits} }, users [{ user: a, password: a }] } }`;
  const server = await startNatsServer({ extraConfig: [account, "no_auth_user: a"] });
  onTestFinished(() => server.stop());
  const log = await connectLog({ servers: server.url, namespace: "t", acceptTimeoutMs: 400 });
  onTestFinished(() => log.close());
  const nats = await dial({ servers: server.url });
  onTestFinished(() => nats.close());
  return { log, nats };
}

test("a full account refuses for now, and takes everything when it has room again", async () => {
  const { log, nats } = await inAccount("max_file: 12M");
  const { streams } = await jetstreamManager(nats);
  await streams.add({ name: "hog", subjects: ["hog"] });
  const block = Buffer.alloc(200_000);
  const isFull = async (): Promise<boolean> => {
    const answer = (await nats.request("hog", block)).json<{ readonly error?: object }>();
    return answer.error !== undefined;
  };
  while (!(await isFull()));
  const filler = { ...draft, payload: block };
  await expect(log.accept(filler)).rejects.toThrow(LogUnavailableError);
  const turn = { agent, expectedRevision: 0, record: block, outgoing: [] };
  await expect(log.commit([turn])).rejects.toThrow(LogUnavailableError);
  const sending = { ...turn, outgoing: [filler] };
  await expect(log.commit([sending])).rejects.toThrow(LogUnavailableError);
  await streams.delete("hog");
  await expect(log.accept(filler)).resolves.toMatchObject({ duplicate: false });
  await expect(log.commit([sending])).resolves.toHaveLength(1);
});

test("a consumer that cannot be made is told once, and made when it can be", async () => {
  const { log, nats } = await inAccount("max_file: 1G, max_consumers: 1");
  const told: string[] = [];
  log.onFault((what, thrown) => told.push(`${what}: ${String(thrown)}`));
  const { consumers } = await jetstreamManager(nats);

  await consumers.add("t-0", { durable_name: "taken" });
  const inputs: Input[] = [];
  const source = partitionOfToken("alice", log.partitions);
  log.read({ source, after: 0, credit: 10, onInput: (input) => inputs.push(input) });
  await log.accept(draft);
  await vi.waitFor(() => expect(told).toHaveLength(1), patience);
  expect(told[0]).toMatch(/reading t-0 .*maximum consumers/);
  await consumers.delete("t-0", "taken");
  await vi.waitFor(() => expect(inputs).toHaveLength(1), patience);
  expect(told).toHaveLength(1);
});

test("types beyond the consumers of the account are refused by name, before anything is read", async () => {
  const { log } = await inAccount("max_file: 1G, max_consumers: 20");
  expect(log.limits.readersMax).toBe(20);
  const named = (type: string) => agentOf(type).on("ping", z.null(), () => "pong");
  await using troupe = createTroupe(log);
  await troupe.work(named("first"));
  await expect(troupe.work(named("second"))).rejects.toMatchObject({
    code: "too-many-readers",
    details: { types: ["second"], readers: 33, readersMax: 20 },
  });
  await expect(troupe.agent(named("first"), "alice").ping(null)).resolves.toBe("pong");
});
