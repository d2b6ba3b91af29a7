/**
 * Reports of the API: one text for each entry point of the published packages, in `api/`: what it
 * exports, and the types that can be seen through that. A change of one of them is a change for
 * users, so it is to be seen in the commit that makes it.
 *
 * `npm run api` fails when the texts are not what the compiler says; `npm run api -- --accept`
 * writes them.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { declarationsIn, declaringPlace, exportedNames, type Place } from "./api/declarations.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = join(root, "api");

export interface Door {
  /** Specifier that users import, such as `@troupe/core/log`. */
  readonly name: string;
  /** The declaration file behind it. */
  readonly file: string;
}

/** The text of each report, by the name of its file. */
function apiReports(): ReadonlyMap<string, string> {
  const doors = readdirSync(join(root, "packages")).flatMap(doorsOf);
  const told = new Set(
    doors.flatMap(({ file }) => exportedNames(file).map((name) => key(placeOf(file, name)))),
  );
  return new Map(doors.map((door) => [fileOf(door), reportOf(door, told)]));
}

function doorsOf(name: string): readonly Door[] {
  const text = readFileSync(join(root, "packages", name, "package.json"), "utf8");
  const manifest = JSON.parse(text) as {
    readonly name: string;
    readonly private?: boolean;
    readonly exports?: Readonly<Record<string, string | { readonly types?: string }>>;
  };
  if (manifest.private === true) return [];
  return Object.entries(manifest.exports ?? {}).flatMap(([path, target]) =>
    typeof target === "string" || target.types === undefined
      ? []
      : [{ name: manifest.name + path.slice(1), file: join(root, "packages", name, target.types) }],
  );
}

function fileOf({ name }: Door): string {
  return `${name.replace("@troupe/", "").replaceAll("/", "-")}.txt`;
}

/**
 * The text about one entry point. `elsewhere` are the declarations that some door exports: each is
 * told by its own door alone.
 */
export function reportOf({ file, name }: Door, elsewhere: ReadonlySet<string>): string {
  const exported = exportedNames(file).toSorted();
  const seen = new Map<string, string>();
  const waiting = exported.map((each) => placeOf(file, each));
  const own = new Set(waiting.map(key));
  for (const place of waiting) {
    const id = key(place);
    if (seen.has(id)) continue;
    const text = declarationsIn(place.file).declared.get(place.name) ?? "";
    seen.set(id, text);
    for (const used of usedIn(place, text)) if (!elsewhere.has(key(used))) waiting.push(used);
  }
  const texts = (isOwn: boolean): string =>
    [...seen]
      .filter(([id]) => own.has(id) === isOwn)
      .map(([, text]) => text.trim())
      .toSorted((a, b) => (nameIn(a) < nameIn(b) ? -1 : 1))
      .join("\n\n");
  const behind = texts(false);
  const rest = behind === "" ? "" : `\n# Not exported, but seen through what is\n\n${behind}\n`;
  return `# ${name}: ${exported.length} names\n\n${texts(true)}\n${rest}`;
}

/** Declarations that the text of another one names. */
function usedIn({ file, name }: Place, text: string): readonly Place[] {
  const words = new Set(text.match(/\b[A-Za-z]\w*\b/g));
  const { declared, from } = declarationsIn(file);
  return [...words]
    .filter((word) => word !== name && (declared.has(word) || from.has(word)))
    .map((word) => declaringPlace({ file, name: word }))
    .filter((place) => place !== undefined);
}

function placeOf(file: string, name: string): Place {
  return declaringPlace({ file, name }) ?? { file, name };
}

const key = ({ file, name }: Place): string => `${file} ${name}`;

const nameIn = (text: string): string => text.replace(/^(?:abstract )?\w+ /, "");

/** Shows the differences between the texts and the compiler; accepts them when asked. */
function main(): void {
  // A shell finds the compiler under whatever name the platform gives it.
  const { status } = spawnSync("tsc -b", { cwd: root, shell: true, stdio: "inherit" });
  if (status !== 0) process.exit(1);
  const reports = apiReports();
  mkdirSync(folder, { recursive: true });
  if (process.argv.includes("--accept")) {
    for (const file of readdirSync(folder)) if (!reports.has(file)) rmSync(join(folder, file));
    for (const [file, text] of reports) writeFileSync(join(folder, file), text);
    return;
  }
  const written = new Set(readdirSync(folder));
  const changed = [...reports].filter(
    ([file, text]) => !written.has(file) || readFileSync(join(folder, file), "utf8") !== text,
  );
  const gone = [...written].filter((file) => !reports.has(file));
  const files = [...changed.map(([file]) => file), ...gone];
  if (files.length === 0) return;
  process.stderr.write(
    `The public API changed: ${files.join(", ")}. If that is wanted, run npm run api -- --accept, look at the difference in api/, and add a changeset.\n`,
  );
  process.exitCode = 1;
}

if (import.meta.main) main();
