import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNatsServer } from "@troupe/jetstream/server";
import { describe, expect, test } from "vitest";
import { createCertificates, hasOpenssl } from "../fixtures/certificates.ts";
import { newNkey } from "../fixtures/new-nkey.ts";
import { runTroupe } from "../fixtures/troupe-process.ts";

const publish = ["publish", "payments", "shop", '{"amount":1}', "--connect-timeout", "5s"];

describe.concurrent("a server that does not answer", () => {
  test("is one clear error with what to do, and exit code 3", async () => {
    const { code, stdout, stderr } = await runTroupe(["tail", "--connect-timeout", "200ms"], {
      env: { TROUPE_NATS_URL: "nats://ann:secret@127.0.0.1:1" },
    });
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toBe(
      "error: No NATS server answers at nats://127.0.0.1:1 (connect ECONNREFUSED 127.0.0.1:1). " +
        "Start a local one with `troupe dev`, or name a running one with --server or " +
        "TROUPE_NATS_URL.\n",
    );
  });

  test("does not keep the command waiting when it only keeps silent", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const args = ["ask", "account/ann", "balance", "--connect-timeout", "300ms"];
    const { code, stderr } = await runTroupe([...args, "--server", `127.0.0.1:${port}`]);
    silent.close();
    expect(code).toBe(3);
    expect(stderr).toContain("No NATS server answers");
  });
});

describe.concurrent("a namespace without a system", () => {
  test.each([["tail"], ["agents"], ["inspect", "account/ann"], ["ask", "account/ann", "balance"]])(
    "is not made by %s, which says what to do",
    async (...args) => {
      await using server = await startNatsServer();
      const { code, stderr } = await runTroupe([...args, "--server", server.url]);
      expect(code).toBe(1);
      expect(stderr).toContain("no Troupe system in the namespace troupe");
    },
  );
});

describe.concurrent("credentials", () => {
  test("user and password are taken from options, variables and the address", async () => {
    await using server = await startNatsServer({
      extraConfig: ['authorization { user: ann, password: "p@ss:word" }'],
    });
    const given = ["--user", "ann", "--password", "p@ss:word"];
    const env = { TROUPE_NATS_USER: "ann", TROUPE_NATS_PASSWORD: "p@ss:word" };
    const inside = server.url.replace("//", "//ann:p%40ss%3Aword@");
    const at = ["--server", server.url];
    expect(await runTroupe([...publish, ...at, ...given])).toMatchObject({ code: 0 });
    expect(await runTroupe([...publish, ...at], { env })).toMatchObject({ code: 0 });
    expect(await runTroupe([...publish, "--server", inside])).toMatchObject({ code: 0 });

    const wrong = await runTroupe([...publish, ...at, "--user", "ann", "--password", "guess"]);
    expect(wrong).toMatchObject({ code: 1, stdout: "" });
    expect(wrong.stderr).toMatch(/No access to nats:.*: .*auth.*Check --user and --password/i);
    expect(wrong.stderr).not.toContain("guess");
  });

  test("a token", async () => {
    await using server = await startNatsServer({ extraConfig: ["authorization { token: t0ken }"] });
    const at = ["--server", server.url];
    expect(await runTroupe([...publish, ...at, "--token", "t0ken"])).toMatchObject({ code: 0 });
    expect(await runTroupe([...publish, ...at])).toMatchObject({ code: 1 });
  });

  test("an nkey seed in a file", async () => {
    const { seed, publicKey } = newNkey();
    const folder = await mkdtemp(join(tmpdir(), "troupe-nkey-"));
    const path = join(folder, "user.nk");
    await writeFile(path, `${seed}\n`);
    await using server = await startNatsServer({
      extraConfig: [`authorization { users: [{ nkey: ${publicKey} }] }`],
    });
    const at = ["--server", server.url];
    expect(await runTroupe([...publish, ...at, "--nkey", path])).toMatchObject({ code: 0 });
    await writeFile(path, "no seed");
    const wrong = await runTroupe([...publish, ...at, "--nkey", path]);
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.stderr).toContain("holds no nkey seed");
    await rm(folder, { recursive: true });
  });

  test.each([
    [["--creds", "nowhere.creds"], "--creds nowhere.creds cannot be read"],
    [["--tls-ca", "nowhere.pem"], "--tls-ca nowhere.pem cannot be read"],
  ])("%j is wrong usage", async (options, text) => {
    const { code, stderr } = await runTroupe([...publish, ...options]);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
  });
});

describe.concurrent("TLS", () => {
  test("with an authority of one's own and a client certificate", async ({ skip }) => {
    skip(!hasOpenssl(), "openssl is not installed, so there are no certificates");
    using files = createCertificates();
    const { ca, clientCert, clientKey, serverCert, serverKey } = files;
    const paths = `cert_file: "${serverCert}", key_file: "${serverKey}", ca_file: "${ca}"`;
    await using server = await startNatsServer({ extraConfig: [`tls { ${paths}, verify: true }`] });
    const at = ["--server", server.url];
    const client = ["--tls-cert", clientCert, "--tls-key", clientKey];
    expect(await runTroupe([...publish, ...at, "--tls-ca", ca, ...client])).toMatchObject({
      code: 0,
    });

    const untrusted = await runTroupe([...publish, ...at]);
    expect(untrusted).toMatchObject({ code: 1, stdout: "" });
    expect(untrusted.stderr).toMatch(/No secure connection .*Check --tls-ca/);
    const nobody = await runTroupe([...publish, ...at, "--tls-ca", ca]);
    expect(nobody).toMatchObject({ code: 1, stdout: "" });
    expect(nobody.stderr).toContain("wants a certificate of its clients");
    const half = await runTroupe([...publish, ...at, "--tls-cert", clientCert]);
    expect(half).toMatchObject({ code: 2 });
    expect(half.stderr).toContain("belong together");
  });
});
