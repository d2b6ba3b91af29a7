/** Runs on stand-ins for `apt-get` and `dpkg-deb`, so that no test needs a network. */

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { NatsServerNotFoundError } from "../errors.ts";
import { findNatsServer, type FindNatsServerOptions } from "./find-nats-server.ts";

let folder: string;
let options: FindNatsServerOptions;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-test-"));
  await mkdir(join(folder, "apt"));
  await mkdir(join(folder, "bin"));
  await writeFile(
    join(folder, "apt", "sources.list"),
    "deb http://mirror.example.org/debian bookworm main\n",
  );
  options = {
    environment: {
      PATH: `${join(folder, "bin")}:/usr/bin:/bin`,
      TROUPE_CACHE_DIR: join(folder, "cache"),
    },
    releaseBaseUrl: "http://127.0.0.1:1/releases",
    aptFolder: join(folder, "apt"),
  };
  await writeProgram("dpkg-deb", 'mkdir -p "$3/usr/sbin" && cp "$2" "$3/usr/sbin/nats-server"');
});

afterEach(() => rm(folder, { recursive: true }));

describe.runIf(process.platform === "linux")("the Debian package", () => {
  test("comes from the configured mirror through a private configuration", async () => {
    await writeApt({ forky: "2.15.1" });
    const progress: string[] = [];
    const found = await findNatsServer({ ...options, onProgress: (text) => progress.push(text) });
    expect(found.version).toBe("2.15.1");
    expect(found.path).toContain(join("cache", "nats-server", "2.15.1"));
    expect(progress).toEqual(["downloading nats-server from the Debian suite forky"]);
    const source = await readFile(join(folder, "used.list"), "utf8");
    expect(source).toBe(
      "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " +
        "http://mirror.example.org/debian forky main\n",
    );
    const configuration = await readFile(join(folder, "used.conf"), "utf8");
    expect(configuration).toMatch(/Dir::Etc::sourceparts "\/dev\/null";/);
    expect(configuration).not.toContain('"/var');
  });

  test("is taken from the next suite when one is gone or too old", async () => {
    await writeApt({ sid: "2.10.27", testing: "2.14.4" });
    expect((await findNatsServer(options)).version).toBe("2.14.4");
  });

  test("is asked for once: then the cache answers", async () => {
    await writeApt({ forky: "2.15.1" });
    const found = await findNatsServer(options);
    await rm(join(folder, "bin", "apt-get"));
    expect(await findNatsServer(options)).toEqual(found);
  });

  test("that no suite has leaves a reason per suite, and an empty cache", async () => {
    await writeApt({ sid: "2.10.27" });
    const reason = await debianReason();
    expect(reason).toMatch(/forky: apt-get failed \(100\): E: no suite forky/);
    expect(reason).toMatch(/sid: .* is 2\.10\.27, older than 2\.14\.4/);
    expect(reason).toContain("unstable: ");
    expect(await readdir(join(folder, "cache", "nats-server"))).toEqual([]);
  });

  test("needs a source of the main archive", async () => {
    await writeFile(join(folder, "apt", "sources.list"), "deb http://a.example.org/x y main\n");
    expect(await debianReason()).toContain("no source of Debian's main archive is configured");
  });

  test("needs apt-get", async () => {
    await writeProgram("apt-get", "exit 127");
    expect(await debianReason()).toContain("apt-get failed (127)");
  });

  test.runIf(process.env["TROUPE_TEST_DOWNLOADS"])("is really downloaded and run", async () => {
    const { PATH } = process.env;
    const environment = { ...options.environment, PATH: `${join(folder, "none")}:${PATH}` };
    const found = await findNatsServer({ ...options, environment, aptFolder: "/etc/apt" });
    expect(found.path).toContain(join(folder, "cache"));
  });
});

/** An archive that has these suites, each with one version of the package. */
async function writeApt(versions: Readonly<Record<string, string>>): Promise<void> {
  const cases = Object.entries(versions)
    .map(([suite, version]) => `${suite}) version=${version} ;;`)
    .join("\n");
  await writeProgram(
    "apt-get",
    `configuration=$2
sources=$(sed -n 's/^Dir::Etc::sourcelist "\\(.*\\)";$/\\1/p' "$configuration")
cp "$configuration" "${folder}/used.conf"
cp "$sources" "${folder}/used.list"
suite=$(cut -d ' ' -f 4 "$sources")
case $suite in
${cases}
*) echo "E: no suite $suite" >&2; exit 100 ;;
esac
[ "$4" = download ] || exit 0
printf '#!/bin/sh\\necho "nats-server: v%s"\\n' "$version" > nats-server_1_any.deb`,
  );
}

async function writeProgram(name: string, action: string): Promise<void> {
  await writeFile(join(folder, "bin", name), `#!/bin/sh\n${action}\n`, { mode: 0o755 });
}

async function debianReason(): Promise<string> {
  const error = await findNatsServer(options).catch((caught: unknown) => caught);
  if (!(error instanceof NatsServerNotFoundError)) throw error;
  return error.attempts.at(-1)?.reason ?? "";
}
