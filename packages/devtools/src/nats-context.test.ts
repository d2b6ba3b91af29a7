/** Contexts of the nats command, as it writes them. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runTroupe, type Finished } from "../fixtures/troupe-process.ts";

let server: NatsServer;
let config: string;

/** Every field stands in the file, most of them empty. */
const empty = {
  description: "",
  token: "",
  creds: "",
  nkey: "",
  cert: "",
  key: "",
  ca: "",
  nsc: "",
};

beforeAll(async () => {
  server = await startNatsServer({
    extraConfig: [
      "authorization { users: [{ user: ann, password: s3cret }, { user: bob, password: b }] }",
    ],
  });
  config = await mkdtemp(join(tmpdir(), "troupe-context-"));
  await mkdir(join(config, "nats", "context"), { recursive: true });
  await context("shop", { url: server.url, user: "ann", password: "s3cret" });
  await context("wrong", { url: server.url, user: "ann", password: "guess" });
  await context("edge", { url: server.url, jetstream_domain: "edge" });
  await writeFile(join(config, "nats", "context", "torn.json"), '{"password": "s3cret"');
});
afterAll(async () => {
  await server.stop();
  await rm(config, { recursive: true });
});

async function context(name: string, fields: Readonly<Record<string, string>>): Promise<void> {
  const text = JSON.stringify({ ...empty, ...fields });
  await writeFile(join(config, "nats", "context", `${name}.json`), text);
}

function publish(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const command = ["publish", "payments", "shop", "{}", "--connect-timeout", "5s"];
  return runTroupe([...command, ...args], { env: { XDG_CONFIG_HOME: config, ...env } });
}

test("a context that is named says where to go and who one is", async () => {
  expect(await publish(["--context", "shop"])).toMatchObject({ code: 0 });
  const chosen = { TROUPE_NATS_CONTEXT: "shop" };
  expect(await publish([], chosen)).toMatchObject({ code: 0 });
  const elsewhere = { TROUPE_NATS_URL: "nats://127.0.0.1:1", TROUPE_NATS_TOKEN: "old" };
  expect(await publish(["--context", "shop"], elsewhere)).toMatchObject({ code: 0 });
});

test("what stands on the command line comes before it", async () => {
  const bob = ["--user", "bob", "--password", "b"];
  expect(await publish(["--context", "wrong", ...bob])).toMatchObject({ code: 0 });
  const there = await publish(["--context", "shop", "-s", "nats://127.0.0.1:1"]);
  expect(there).toMatchObject({ code: 3 });
  const denied = await publish(["--context", "wrong"]);
  expect(denied).toMatchObject({ code: 1 });
  expect(denied.stderr).toContain("No access to");
});

test.each([
  ["nowhere", "There is no NATS context nowhere", "there are: edge, shop, torn, wrong"],
  ["../context/shop", "There is no NATS context ../context/shop", "shop"],
  ["edge", "has jetstream_domain, which troupe cannot use", "name a server of that domain"],
  ["torn", "is no JSON object", "torn.json"],
])("the context %s is wrong usage", async (name, ...says) => {
  const { code, stderr, stdout } = await publish(["--context", name]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  for (const text of says) expect(stderr.replaceAll(/\s+/g, " ")).toContain(text);
  expect(stderr).not.toContain("s3cret");
});
