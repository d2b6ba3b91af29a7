/** Our identity to the server, and the errors that come at once when it does not let us in. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { nkeys } from "@nats-io/nats-core";
import { TroupeError } from "@troupe/core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { connect, type ConnectOptions } from "./index.ts";
import { drawPort } from "./server/free-port.ts";
import { findNatsServer, startNatsServer, type NatsServer } from "./server/index.ts";

const password = "p@ss:w/rd%";
const secrets = [password, encodeURIComponent(password), "wrong-guess"];
const nkey = nkeys.createUser();
const seed = new TextDecoder().decode(nkey.getSeed());

let server: NatsServer;
let tokenServer: NatsServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-connect-"));
  server = await startNatsServer({
    extraConfig: [
      "accounts {",
      "  A { jetstream: enabled, users: [",
      `    { user: ann, password: ${JSON.stringify(password)} }`,
      `    { nkey: ${nkey.getPublicKey()} }`,
      '    { user: narrow, password: narrow, permissions: { publish: [foo], subscribe: ["_INBOX.>"] } }',
      "  ] }",
      "  B { users: [{ user: bea, password: bea }] }",
      "}",
    ],
  });
  tokenServer = await startNatsServer({ extraConfig: ['authorization { token: "t0k/en" }'] });
});
afterAll(async () => {
  await server.stop();
  await tokenServer.stop();
  await rm(folder, { recursive: true });
});

/** The address with credentials in it. */
function inside(credentials: string, { url } = server): string {
  return url.replace("//", `//${credentials}@`);
}

const ann = `ann:${encodeURIComponent(password)}`;

test("credentials are taken from the address, however it is given", async () => {
  const ways: readonly (string | ConnectOptions)[] = [
    inside(ann),
    `${inside(ann)},${server.url}`,
    { servers: inside(ann) },
    { servers: [server.url, inside(ann)] },
    { servers: inside("nobody:wrong-guess"), user: "ann", pass: password },
    inside(encodeURIComponent("t0k/en"), tokenServer),
    { servers: tokenServer.url, token: "t0k/en" },
    { servers: server.url, nkeySeed: ` ${seed}\n` },
  ];
  for (const way of ways) {
    await using troupe = await connect(way);
    expect(troupe.log.partitions).toBe(16);
  }
});

test.each<[string, () => Promise<string | ConnectOptions>, string, RegExp]>([
  [
    "a wrong password",
    async () => inside("ann:wrong-guess"),
    "access-denied",
    /Check user and pass/,
  ],
  ["no credentials", async () => server.url, "access-denied", /Check user and pass/],
  [
    "no address",
    async () => `nats://${ann}@host:port`,
    "server-address",
    /write nats:\/\/host:4222/,
  ],
  [
    "no seed",
    async () => ({ servers: server.url, nkeySeed: password }),
    "access-denied",
    /nkeySeed/,
  ],
  [
    "an absent file",
    async () => ({ credsFile: join(folder, "no.creds") }),
    "access-denied",
    /ENOENT/,
  ],
  ["a file of nonsense", nonsense, "access-denied", /It has to hold a JWT and a seed/],
  ["an account without JetStream", async () => inside("bea:bea"), "unsupported-server", /account/],
  [
    "a user without rights",
    async () => inside("narrow:narrow"),
    "access-denied",
    /\$JS\.API\.STREAM/,
  ],
])("%s is a named error at once, and shows no secret", async (_, given, code, says) => {
  const thrown = await failureOf(await given());
  expect(thrown.code).toBe(code);
  expect(thrown.message).toMatch(says);
  expect(thrown.retryable).toBe(false);
  expectNoSecret(thrown);
});

test("a server without JetStream is a named error at once", async () => {
  const { path } = await findNatsServer();
  const port = String(drawPort());
  const bare = spawn(path, ["--addr", "127.0.0.1", "--port", port], { stdio: "ignore" });
  const thrown = await failureOf(`nats://127.0.0.1:${port}`);
  bare.kill();
  expect(thrown).toMatchObject({ code: "unsupported-server" });
  expect(thrown.message).toContain("start it with -js");
});

test("nobody at the address is said within seconds, without the secret", async () => {
  const thrown = await failureOf(`nats://${ann}@127.0.0.1:1`);
  expect(thrown.code).toBe("log-unavailable");
  expect(thrown.message).toContain("nats://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1. Is a");
  expectNoSecret(thrown);
});

test("something else at the address is said at once", async () => {
  const other = createServer((socket) => socket.end("SSH-2.0 server\r\n")).listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const thrown = await failureOf({ servers: `127.0.0.1:${port}`, startTimeoutMs: patienceMs });
  other.close();
  expect(thrown).toMatchObject({ code: "server-address" });
  expect(thrown.message).toContain("is no NATS server");
});

test("something else that says no whole line is said, too", async () => {
  const other = createServer((socket) => socket.write("220 mail")).listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const thrown = await failureOf({ servers: `127.0.0.1:${port}`, startTimeoutMs: patienceMs });
  other.close();
  expect(thrown).toMatchObject({ code: "server-address" });
  expect(thrown.message).toContain('it begins with "220 mail"');
});

test("a server that takes no more connections says why", async () => {
  await using full = await startNatsServer({ extraConfig: ["max_connections: 1"] });
  const first = await connect(full.url);
  const thrown = await failureOf({ servers: full.url, startTimeoutMs: 3000 });
  await first.close();
  expect(thrown).toMatchObject({ code: "log-unavailable", retryable: true });
  expect(thrown.message).toContain("takes no connection: maximum connections exceeded");
});

test("an address that asks for TLS does not connect without it", async () => {
  const thrown = await failureOf({
    servers: server.url.replace("nats:", "tls:"),
    user: "ann",
    pass: password,
  });
  expect(thrown).toMatchObject({ code: "insecure-connection", retryable: false });
});

test("a file of the option tls that is not there is named", async () => {
  const thrown = await failureOf({ servers: server.url, tls: { caFile: "/nowhere/ca.pem" } });
  expect(thrown).toMatchObject({ code: "insecure-connection" });
  expect(thrown.message).toContain("The file /nowhere/ca.pem of the option tls.caFile");
});

test.each([undefined, null, 4222])("%j is neither an address nor options", async (given) => {
  const thrown = await failureOf(given as unknown as string);
  expect(thrown).toMatchObject({ code: "definition" });
  expect(thrown.message).toContain("give an address");
});

test("a cluster in which nobody has JetStream is said", async () => {
  const { path } = await findNatsServer();
  const port = String(drawPort());
  const cluster = ["--cluster_name", "c", "--cluster", `nats://127.0.0.1:${drawPort()}`];
  const bare = spawn(path, ["--addr", "127.0.0.1", "--port", port, ...cluster], {
    stdio: "ignore",
  });
  const thrown = await failureOf({ servers: `127.0.0.1:${port}`, startTimeoutMs: 3000 });
  bare.kill();
  expect(thrown).toMatchObject({ code: "log-unavailable" });
  expect(thrown.message).toContain("start them with -js");
});

/** For what is found by a look, which has to end an attempt long before its time is up. */
const patienceMs = 30_000;

async function nonsense(): Promise<ConnectOptions> {
  const credsFile = join(folder, "nonsense.creds");
  await writeFile(credsFile, `nonsense ${password}`);
  return { servers: server.url, credsFile };
}

async function failureOf(given: string | ConnectOptions): Promise<TroupeError> {
  const [outcome] = await Promise.allSettled([connect(given)]);
  if (outcome.status === "fulfilled") {
    await outcome.value[Symbol.asyncDispose]();
    throw new Error("It connected.");
  }
  expect(outcome.reason).toBeInstanceOf(TroupeError);
  return outcome.reason as TroupeError;
}

/** Neither in what it says, nor in what causes it, nor in its data. */
function expectNoSecret(thrown: TroupeError): void {
  const said = [JSON.stringify(thrown.toData())];
  for (let each: unknown = thrown; each instanceof Error; each = each.cause) {
    said.push(each.message, each.stack ?? "", JSON.stringify(each));
  }
  for (const secret of secrets) expect(said.join("\n")).not.toContain(secret);
}
