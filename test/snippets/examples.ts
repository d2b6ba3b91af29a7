/** The `@example` of every doc comment of the packages, as modules that can be compiled. */
import { readFileSync } from "node:fs";

import { doorsOf } from "../../scripts/house/doors.ts";
import { trackedSources } from "../../scripts/house/tracked-sources.ts";

export interface Example {
  /** The source that it stands in, with its line: `core/client/troupe.ts:82`. */
  readonly from: string;
  readonly code: string;
}

const fenced = /@example\s*\n\s*\* ```ts\n([^]*?)\n\s*\* ```/g;
const identifier = /(?<![\w"'`-]|(?<!\.\.)\.)[A-Za-z_]\w*/g;
const declaring = /\b(?:const|let|function|class|using)\s+(\{[^}]*\}|\w+)/g;
/** Tried first, so that an example imports what an application would. */
const applicationDoor = "@troupe/core";

export function examplesOf(root: string): readonly Example[] {
  return [...trackedSources(root)].flatMap(([name, sources]) =>
    sources.flatMap(({ path, text }) =>
      [...text.matchAll(fenced)].map(({ 1: body = "", index }) => ({
        from: `${name}/${path}:${text.slice(0, index).split("\n").length}`,
        code: body
          .split("\n")
          .map((line) => line.replace(/^\s*\* ?/, ""))
          .join("\n"),
      })),
    ),
  );
}

/** The entry point that exports a name, by name. */
export function doorOfName(root: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [folder, sources] of trackedSources(root)) {
    const manifest = JSON.parse(readFileSync(`${root}packages/${folder}/package.json`, "utf8")) as {
      readonly name: string;
      readonly exports?: Readonly<Record<string, { readonly "troupe-source"?: string }>>;
    };
    for (const [door, { "troupe-source": file }] of Object.entries(manifest.exports ?? {})) {
      if (file === undefined) continue;
      const specifier = `${manifest.name}${door.slice(1)}`;
      for (const { name } of doorsOf(sources, file.replace("./src/", ""))) {
        if (!found.has(name) || specifier === applicationDoor) found.set(name, specifier);
      }
    }
  }
  return found;
}

/** The example with imports of what it uses and does not declare. */
export function moduleOf(
  { code, from }: Example,
  doors: ReadonlyMap<string, string>,
  prelude: ReadonlySet<string>,
): string {
  const own = new Set(
    [...code.matchAll(declaring)].flatMap(([, names = ""]) => names.match(/\w+/g) ?? []),
  );
  const bare = code.replaceAll(/"[^"]*"/g, '""').replaceAll(/\/\/.*$/gm, "");
  const used = [...new Set(bare.match(identifier))].filter((name) => !own.has(name));
  const specifierOf = (name: string): string | undefined =>
    name === "z" ? "zod" : prelude.has(name) ? "./prelude.ts" : doors.get(name);
  const imports = used.flatMap((name) => {
    const specifier = specifierOf(name);
    return specifier === undefined ? [] : [`import { ${name} } from "${specifier}";`];
  });
  return `// ${from}\n${imports.join("\n")}\n${code}\nexport {};\n`;
}
