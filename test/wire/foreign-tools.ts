/**
 * Python with the NATS client of that language, and programs in Go with theirs, from the registries
 * that this machine's pip and go use. What is made is kept in the user's cache.
 *
 * Where a language is missing its tests are skipped, with one loud line.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const pythonPackages = ["nats-py==2.16.0", "msgpack==1.2.4"];
const goModule = "github.com/nats-io/nats.go@v1.55.0";
/** Long enough for a download and a build on a busy machine. */
const hangsAfterMs = 300_000;

/** Whether a program answers; says so loudly when it does not. */
export async function hasProgram(program: string, parameter: string): Promise<boolean> {
  try {
    await run(program, [parameter]);
    return true;
  } catch {
    process.stderr.write(`\nSKIPPED: there is no ${program}, so its client is not tried.\n\n`);
    return false;
  }
}

/** Resolves with the path of a Python that has the packages. */
export async function preparePython(): Promise<string> {
  const place = join(cache(), `python-${pythonPackages.join("-").replaceAll("=", "")}`);
  const interpreter = (folder: string): string =>
    process.platform === "win32"
      ? join(folder, "Scripts", "python.exe")
      : join(folder, "bin", "python");
  const ready = join(place, "ready");
  if (!existsSync(ready)) {
    await rm(place, { recursive: true, force: true });
    await mkdir(dirname(place), { recursive: true });
    await run("python3", ["-m", "venv", place], { timeout: hangsAfterMs });
    const install = ["-m", "pip", "install", "--quiet", ...pythonPackages];
    await run(interpreter(place), install, { timeout: hangsAfterMs });
    await writeFile(ready, "");
  }
  return interpreter(place);
}

/** Builds the program in a folder; resolves with the path of what can be run. */
export async function buildGo(folder: string, digest: string): Promise<string> {
  const place = join(cache(), `go-${digest}${process.platform === "win32" ? ".exe" : ""}`);
  if (existsSync(place)) return place;
  await mkdir(cache(), { recursive: true });
  const build = await mkdtemp(join(cache(), "build-"));
  try {
    await cp(folder, build, { recursive: true });
    await writeFile(join(build, "go.mod"), "module publisher\n\ngo 1.24\n");
    const env = { ...process.env, GOFLAGS: "-mod=mod", CGO_ENABLED: "0" };
    const options = { cwd: build, env, timeout: hangsAfterMs };
    await run("go", ["get", goModule], options);
    await run("go", ["build", "-o", "built", "."], options);
    // Nothing partial gets the name.
    await rename(join(build, "built"), place);
  } finally {
    await rm(build, { recursive: true, force: true });
  }
  return place;
}

function cache(): string {
  const users = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return join(process.env["TROUPE_CACHE_DIR"] ?? join(users, "troupe"), "wire");
}
