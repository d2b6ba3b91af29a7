/**
 * Reads the package sources configured on this machine, in both formats APT knows, and picks
 * those that are Debian's own main archive. Third-party repositories and the security archive
 * are left out: the newer suites we ask for exist only in the main archive.
 */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** A configured source of binary packages: a URI with one suite. */
export type AptSource = {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** The key ring that verifies it; undefined when the source names none. */
  readonly signedBy: string | undefined;
};

/** A mirror of Debian's main archive as configured on this machine. */
export type DebianMirror = {
  readonly uri: string;
  readonly signedBy: string;
};

/** The key ring of the Debian archive, used when a source names none. */
export const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

const debianSuites: ReadonlySet<string> = new Set(
  (
    "buster bullseye bookworm trixie forky duke sid " +
    "oldoldstable oldstable stable testing unstable"
  ).split(" "),
);

/** Reads `sources.list` and `sources.list.d/*.{list,sources}` below `aptFolder`. */
export async function readAptSources(aptFolder: string): Promise<AptSource[]> {
  const partsFolder = join(aptFolder, "sources.list.d");
  const parts = await readdir(partsFolder).catch(() => []);
  const paths = [
    join(aptFolder, "sources.list"),
    ...parts.toSorted(byName).map((name) => join(partsFolder, name)),
  ];
  const sources: AptSource[] = [];
  for (const path of paths) {
    const parse = parserFor(path);
    if (parse) sources.push(...parse(await readFile(path, "utf8").catch(() => "")));
  }
  return sources;
}

/** The distinct mirrors of Debian's main archive among the sources, in their order. */
export function debianMirrors(sources: readonly AptSource[]): DebianMirror[] {
  const mirrors = new Map<string, DebianMirror>();
  for (const source of sources) {
    if (!isDebianMain(source) || mirrors.has(source.uri)) continue;
    mirrors.set(source.uri, { uri: source.uri, signedBy: source.signedBy ?? debianKeyring });
  }
  return [...mirrors.values()];
}

/** Parses the one-line format: `deb [option=value …] uri suite component …`. */
export function parseOneLineSources(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)([^#]*)/.exec(line);
    if (match === null) continue;
    const [, options = "", uri = "", suite = "", components = ""] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    sources.push({ uri, suite, components: words(components), signedBy });
  }
  return sources;
}

/** Parses the deb822 format: paragraphs of `Field: value`, continued on indented lines. */
export function parseDeb822Sources(text: string): AptSource[] {
  return text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n")
    .split(/\n[ \t]*\n/)
    .flatMap(sourcesOfParagraph);
}

function parserFor(path: string): ((text: string) => AptSource[]) | undefined {
  if (path.endsWith(".list")) return parseOneLineSources;
  return path.endsWith(".sources") ? parseDeb822Sources : undefined;
}

function sourcesOfParagraph(paragraph: string): AptSource[] {
  const fields = fieldsOf(paragraph);
  const enabled = !/^(no|false|off|0|without|disable)$/i.test(fields.get("enabled") ?? "yes");
  if (!enabled || !words(fields.get("types")).includes("deb")) return [];
  const components = words(fields.get("components"));
  const signedBy = fields.get("signed-by");
  return words(fields.get("uris")).flatMap((uri) =>
    words(fields.get("suites")).map((suite) => ({ uri, suite, components, signedBy })),
  );
}

function fieldsOf(paragraph: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current = "";
  for (const line of paragraph.split("\n")) {
    const match = /^([^\s:]+):(.*)$/.exec(line);
    if (match) {
      current = (match[1] ?? "").toLowerCase();
      fields.set(current, (match[2] ?? "").trim());
    } else if (current !== "" && /^[ \t]/.test(line)) {
      fields.set(current, `${fields.get(current) ?? ""}\n${line.trim()}`.trim());
    }
  }
  return fields;
}

function isDebianMain(source: AptSource): boolean {
  if (!source.components.includes("main")) return false;
  if (/[/-]security\/?$/.test(source.uri)) return false;
  if (!debianSuites.has(source.suite.replace(/-(updates|backports|proposed-updates)$/, ""))) {
    return false;
  }
  const keyring = source.signedBy;
  return keyring === undefined || /^\/usr\/share\/keyrings\/debian-archive-\S+$/.test(keyring);
}

function byName(left: string, right: string): number {
  return left < right ? -1 : 1;
}

function words(text: string | undefined): string[] {
  return (text ?? "").split(/\s+/).filter((word) => word !== "");
}
