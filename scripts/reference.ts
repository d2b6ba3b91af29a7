/**
 * Writes docs/reference/api: what each entry of the published packages exports, with its doc
 * comments, from the declarations in `dist/` (`npm run build` first). `npm run reference` does
 * both; `--check` only compares.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { declarationOf, exportsOf, moduleComment, type Declaration } from "./declarations.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = join(root, "docs", "reference", "api");

/** An entry of a package, such as `@troupe/core/log`. */
interface Entry {
  readonly name: string;
  /** The declarations that it leads to. */
  readonly path: string;
  readonly description: string;
}

/** The pages as they should be, by file name. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  const entries = await publicEntries();
  const pages = new Map<string, string>();
  for (const entry of entries) pages.set(pageOf(entry.name), await pageText(entry));
  const rows = entries.map(
    ({ name, description }) => `- [${name}](${pageOf(name)}): ${description}`,
  );
  const index = `# API\n\n${written}\n\n${rows.join("\n")}\n`;
  return pages.set("README.md", index);
}

const written =
  "What the packages export, from their doc comments (`npm run reference` writes these pages).";

const pageOf = (name: string): string => `${name.replace("@troupe/", "").replaceAll("/", "-")}.md`;

/** Every entry with declarations but those that no version number covers. */
async function publicEntries(): Promise<Entry[]> {
  const names = (await readdir(join(root, "packages"))).toSorted();
  const entries = await Promise.all(names.map((name) => entriesOf(join(root, "packages", name))));
  return entries.flat().filter(({ name }) => name !== "@troupe/core/engine");
}

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string | { readonly types?: string }>>;
}

async function entriesOf(path: string): Promise<Entry[]> {
  const manifest = JSON.parse(await readFile(join(path, "package.json"), "utf8")) as Manifest;
  if (manifest.private === true) return [];
  const entries: Entry[] = [];
  for (const [exported, target] of Object.entries(manifest.exports ?? {})) {
    if (typeof target === "string" || target.types === undefined) continue;
    const types = join(path, target.types);
    const name = manifest.name + exported.slice(1);
    const comment = moduleComment(await readFile(types, "utf8")).replace(`${name}: `, "");
    const description = (/^[^]*?\.(?=\s|$)/.exec(comment)?.[0] ?? "").replaceAll("\n", " ");
    entries.push({ name, path: types, description });
  }
  return entries;
}

async function pageText({ name, path }: Entry): Promise<string> {
  const declarations = await Promise.all(
    [...(await exportsOf(path))].map(([exported, file]) => declarationOf(exported, file)),
  );
  const comment = moduleComment(await readFile(path, "utf8")).replace(`${name}: `, "");
  const values = declarations.filter(({ kind }) => kind === "value").toSorted(byName);
  const types = declarations.filter(({ kind }) => kind === "type").toSorted(byName);
  return [
    `# ${name}`,
    comment,
    ...(values.length === 0 ? [] : ["## Values", ...values.map(section)]),
    ...(types.length === 0 ? [] : ["## Types", ...types.map(section)]),
  ]
    .join("\n\n")
    .concat("\n");
}

const byName = (one: Declaration, other: Declaration): number =>
  one.name.localeCompare(other.name, "en");

function section({ comment, file, name, text }: Declaration): string {
  const source = relative(folder, file).replaceAll("\\", "/").replace("/dist/", "/src/");
  const heading = `### ${name}\n\n[source](${source.replace(/\.d\.ts$/, ".ts")})`;
  const said = comment === "" ? "" : `\n\n${prose(comment)}`;
  return `${heading}${said}\n\n\`\`\`typescript\n${text}\n\`\`\``;
}

/** A doc comment as Markdown: its tags are sentences, its examples are no programs of the page. */
function prose(comment: string): string {
  return comment
    .replaceAll("```ts", "```typescript")
    .replaceAll(/\s*@throws\s+/g, "\n\nThrows: ")
    .replaceAll(/\s*@param (\w+)\s+/g, "\n\n`$1`: ")
    .replaceAll(/\s*@example\s+/g, "\n\nExample:\n\n")
    .replaceAll(/\s*@default\s+/g, "\n\nDefault: ")
    .replaceAll(/\{@link ([^}]+)\}/g, "`$1`");
}

if (import.meta.main) {
  const pages = await referencePages();
  if (process.argv.includes("--check")) {
    const stale: string[] = [];
    for (const [name, text] of pages) {
      const there = await readFile(join(folder, name), "utf8").catch(() => "");
      if (there !== text) stale.push(name);
    }
    const known = await readdir(folder).catch((): string[] => []);
    stale.push(...known.filter((name) => !pages.has(name)));
    for (const name of stale) process.stderr.write(`${name} is not what the sources say\n`);
    if (stale.length > 0) process.stderr.write("Run npm run reference.\n");
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    await rm(folder, { recursive: true, force: true });
    for (const [name, text] of pages) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    process.stdout.write(`${pages.size} pages are in ${relative(root, folder)}\n`);
  }
}
