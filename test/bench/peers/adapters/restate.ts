/**
 * Restate: a virtual object per key. Restate itself keeps the state and the result, runs the calls
 * of one key one after another, and gives a call to the handler once.
 *
 * A call arrives through the HTTP ingress and runs at once: there is no storing the deposits first.
 * The clock runs from the first request to the last response, on multiplexed HTTP/2 connections,
 * which cost this process much less than `fetch`.
 */
import { once } from "node:events";
import { connect, createServer } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";

import { createEndpointHandler, object } from "@restatedev/restate-sdk";
import type { ObjectContext } from "@restatedev/restate-sdk";

import { amount, chainLength, checkBalances, checkReplySum, keyOf, keys, text } from "../peer.ts";
import type { OpenPeer } from "../peer.ts";
import { startRestate } from "../servers/restate.ts";
import { inParallel } from "./in-parallel.ts";
import { installedVersion } from "./installed-version.ts";
import { TokenRace } from "./token-race.ts";

interface Deposit {
  readonly amount: number;
  readonly text: string;
}

const account = object({
  name: "account",
  handlers: {
    deposit: async (ctx: ObjectContext, deposit: Deposit): Promise<number> => {
      const balance = ((await ctx.get<number>("balance")) ?? 0) + deposit.amount;
      ctx.set("balance", balance);
      return balance;
    },
    balance: async (ctx: ObjectContext): Promise<number> => (await ctx.get<number>("balance")) ?? 0,
  },
});

const race = new TokenRace();

interface Hop {
  readonly token: number;
  readonly hop: number;
  readonly prefix: string;
  readonly text: string;
}

/** Each sends to the next one and does not wait for it. */
const hops = object({
  name: "hop",
  handlers: {
    pass: async (ctx: ObjectContext, message: Hop): Promise<void> => {
      ctx.set("count", ((await ctx.get<number>("count")) ?? 0) + 1);
      if (message.hop === chainLength - 1) return race.arrived(message.token);
      const next = { ...message, hop: message.hop + 1 };
      const to = { service: "hop", method: "pass", key: hopKey(next) } as const;
      ctx.genericSend({ ...to, parameter: Buffer.from(JSON.stringify(next)) });
    },
  },
});

function hopKey({ hop, prefix, token }: Hop): string {
  return `${prefix}${token}-${hop}`;
}

const inFlight = 1000;
const connections = 4;

export const open: OpenPeer = async () => {
  // Without: handlers this short need one request and one response, not a conversation.
  const bidirectional = false;
  const logger = (): undefined => undefined;
  const endpoint = createServer(
    createEndpointHandler({ services: [account, hops], bidirectional, logger }),
  );
  endpoint.listen(0, "127.0.0.1");
  await once(endpoint, "listening");
  const { port } = endpoint.address() as AddressInfo;
  const server = await startRestate();
  await register(server.adminUrl, `http://127.0.0.1:${port}`);
  const sessions = Array.from({ length: connections }, () => connect(server.ingressUrl));
  let requests = 0;
  const call = (key: string, handler: string, body: string): Promise<number> =>
    post(sessions[requests++ % connections], `/account/${key}/${handler}`, body);
  // A new server takes its partitions up one after another, and keeps callers waiting meanwhile.
  await inParallel(inFlight, keys, async (key) => {
    await call(`warm-${keyOf(key)}`, "balance", "");
  });
  let rounds = 0;
  return {
    versions: `restate-server ${installedVersion("@restatedev/restate-server")}, restate-sdk ${installedVersion("@restatedev/restate-sdk")}`,
    settings: `${inFlight} calls in flight on ${connections} HTTP/2 connections, 8 partitions; storing the calls is on the clock on both sides`,
    durability: "one node, log-server without fsync of its WAL: acknowledged before fsync",
    async round(deposits) {
      const prefix = `r${rounds++}-`;
      const body = JSON.stringify({ amount, text });
      let sum = 0;
      const startedAt = performance.now();
      await inParallel(inFlight, deposits, async (deposit) => {
        const balance = await call(`${prefix}${keyOf(deposit)}`, "deposit", body);
        sum += balance;
      });
      const seconds = (performance.now() - startedAt) / 1000;
      checkReplySum(sum, deposits);
      const balances = new Map<string, number>();
      await inParallel(inFlight, keys, async (key) => {
        balances.set(keyOf(key), await call(`${prefix}${keyOf(key)}`, "balance", ""));
      });
      checkBalances(balances, deposits);
      return seconds;
    },
    chain(order) {
      const prefix = `c${rounds++}-`;
      return race.run(order, async (token) => {
        const message: Hop = { token, hop: 0, prefix, text };
        const body = JSON.stringify(message);
        await post(sessions[requests++ % connections], `/hop/${hopKey(message)}/pass/send`, body);
      });
    },
    async close() {
      for (const session of sessions) session.destroy();
      await server.stop();
      endpoint.close();
    },
  };
};

async function register(adminUrl: string, uri: string): Promise<void> {
  const response = await fetch(`${adminUrl}/deployments`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ uri }),
  });
  if (!response.ok) throw new Error(`Restate refused the deployment: ${await response.text()}`);
}

function post(
  session: ClientHttp2Session | undefined,
  path: string,
  body: string,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  if (session === undefined) throw new Error("There is no connection to Restate.");
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    ...(body !== "" && { "content-type": "application/json" }),
  });
  let status = 0;
  let said = "";
  stream.setEncoding("utf8");
  stream.on("response", (head) => (status = head[":status"] ?? 0));
  stream.on("data", (part: string) => (said += part));
  stream.on("error", reject);
  stream.on("end", () => {
    if (status === 200 || status === 202) resolve(Number(said));
    else reject(new Error(`${path} was answered with ${status}: ${said}`));
  });
  stream.end(body);
  return promise;
}
