/**
 * A server program: from the PATH, or else the distribution's package on Debian and its
 * derivatives, unpacked into the cache without root. APT runs on lists of its own and verifies what
 * it downloads with the distribution's key ring.
 */
import { existsSync } from "node:fs";
import { chmod, glob, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { readAptSources } from "../../../../packages/jetstream/src/server/binary/apt-sources.ts";
import { runProgram } from "../../../../packages/jetstream/src/server/run-program.ts";
import { CannotRunError } from "../../benchmark.ts";

export interface Program {
  readonly path: string;
  /** Environment with the folders of the libraries that came with it. */
  readonly environment: NodeJS.ProcessEnv;
}

export interface ProgramSource {
  readonly name: string;
  /** Folders to look in after the PATH, such as "/usr/lib/postgresql/*\/bin". */
  readonly folders: readonly string[];
  /** The Debian package that has it in one of these folders or in /usr/bin. */
  readonly debianPackage: string;
}

const aptTimeoutMs = 180_000;
const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** @throws CannotRunError that says where it was looked for */
export async function findProgram(source: ProgramSource): Promise<Program> {
  const onPath = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((each) => join(each, source.name));
  const installed = onPath.find((path) => existsSync(path)) ?? (await findBelow("/", source));
  if (installed !== undefined) return { path: installed, environment: {} };
  try {
    return await unpacked(source);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CannotRunError(`no ${source.name} on the PATH, and no Debian package: ${why}`);
  }
}

async function findBelow(
  root: string,
  { name, folders }: ProgramSource,
): Promise<string | undefined> {
  const patterns = [...folders, "/usr/bin"].map((folder) => join(root, folder, name));
  const found: string[] = [];
  for await (const path of glob(patterns)) found.push(path);
  // The newest, where versions have folders of their own.
  return found.toSorted().at(-1);
}

async function unpacked(source: ProgramSource): Promise<Program> {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(cache, "troupe", "debian", source.debianPackage);
  if (!existsSync(folder)) await unpackInto(folder, source.debianPackage);
  const path = await findBelow(folder, source);
  if (path === undefined) throw new Error(`${folder} has no ${source.name}`);
  const libraries: string[] = [];
  for await (const each of glob(join(folder, "usr/lib/*-linux-gnu*"))) libraries.push(each);
  return { path, environment: { LD_LIBRARY_PATH: libraries.join(delimiter) } };
}

/** The package and those it needs that are not installed. The folder appears when it is whole. */
async function unpackInto(folder: string, name: string): Promise<void> {
  process.stderr.write(`  downloading ${name} from Debian\n`);
  const work = await mkdtemp(join(tmpdir(), "troupe-apt-"));
  try {
    const apt = await privateApt(work);
    await apt(["update"]);
    const plan = await apt(["install", "--simulate", "--no-install-recommends", name]);
    const names = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? "");
    await apt(["download", ...names]);
    const parent = join(folder, "..");
    await mkdir(parent, { recursive: true });
    const root = await mkdtemp(join(parent, ".unpacking-"));
    for (const file of (await readdir(work)).filter((each) => each.endsWith(".deb"))) {
      const args = ["--extract", join(work, file), root];
      await runProgram("dpkg-deb", args, { timeoutMs: aptTimeoutMs });
    }
    await rename(root, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** APT with lists and a cache below `folder`, and of the machine's sources only Debian's own. */
async function privateApt(folder: string): Promise<(args: readonly string[]) => Promise<string>> {
  // As root, APT downloads as the user _apt, who has to be able to enter the folder.
  await chmod(folder, 0o755);
  for (const each of ["lists/partial", "cache/archives/partial"]) {
    await mkdir(join(folder, each), { recursive: true });
  }
  const sources = (await readAptSources("/etc/apt"))
    .filter(({ signedBy = debianKeyring }) => signedBy.includes("/debian-archive-"))
    .map(
      ({ uri, suite, components, signedBy = debianKeyring }) =>
        `deb [signed-by=${signedBy}] ${uri} ${suite} ${components.join(" ")}\n`,
    );
  if (sources.length === 0) throw new Error("no source of Debian's is configured in /etc/apt");
  await writeFile(join(folder, "sources.list"), sources.join(""));
  const configuration = join(folder, "apt.conf");
  await writeFile(
    configuration,
    [
      `Dir::Etc::sourcelist "${join(folder, "sources.list")}";`,
      `Dir::Etc::sourceparts "/dev/null";`,
      `Dir::State::lists "${join(folder, "lists")}";`,
      `Dir::Cache "${join(folder, "cache")}";`,
      `Acquire::Languages "none";`,
      // The hooks maintain the system's own lists, which needs root.
      `#clear APT::Update::Pre-Invoke;`,
      `#clear APT::Update::Post-Invoke;`,
      `#clear APT::Update::Post-Invoke-Success;`,
      "",
    ].join("\n"),
  );
  return (args) =>
    runProgram("apt-get", ["--config-file", configuration, "--quiet", ...args], {
      folder,
      timeoutMs: aptTimeoutMs,
      environment: { ...process.env, LC_ALL: "C.UTF-8" },
    });
}
