/**
 * Measures of the house: how far the folders of core are knotted, how many names each entry point
 * has, and how doc comments read. `npm run house` shows them; `--json` ends with one line.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { doorsOf, examplesOf } from "./house/doors.ts";
import {
  folderOf,
  importsOf,
  knotsOf,
  tierOf,
  type Import,
  type Source,
} from "./house/import-graph.ts";
import { perCent, proseOf } from "./house/prose.ts";
import { trackedSources } from "./house/tracked-sources.ts";

interface Measures {
  /** Folders of core in the largest set of folders that need each other, types included. */
  readonly knot: number;
  /** Imports between the first folders of core, its tiers, in per cent of all. */
  readonly crossImports: number;
  /** Sets of files of core that need each other, types included. */
  readonly typeCycles: number;
  /** Names that each entry point exports. */
  readonly names: Readonly<Record<string, number>>;
  /** Doc comments, in per cent. */
  readonly prose: {
    readonly clause: number;
    readonly pronoun: number;
    /** Public calls with an example, in per cent. */
    readonly examples: number;
  };
}

const root = fileURLToPath(new URL("../", import.meta.url));
const packages = trackedSources(root);
const core = packages.get("core") ?? [];
const imports = importsOf(core.filter(({ path }) => path.includes("/")));
const betweenFolders = between(folderOf);
const betweenTiers = between(tierOf);
const folderKnots = knotsOf(betweenFolders);
const fileKnots = knotsOf(imports);
const entries = [...packages].flatMap(([name, sources]) => entriesOf(name, sources));
const examples = entries.map(({ sources, doors }) => examplesOf(sources, doors));
const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
const prose = proseOf([...packages.values()].flat().map(({ text }) => text));

const measures: Measures = {
  knot: folderKnots[0]?.length ?? 0,
  crossImports: perCent(betweenTiers.length, imports.length),
  typeCycles: fileKnots.length,
  names: Object.fromEntries(entries.map(({ name, doors }) => [name, doors.length])),
  prose: {
    clause: prose.clause,
    pronoun: prose.pronoun,
    examples: perCent(
      sum(examples.map(({ shown }) => shown)),
      sum(examples.map(({ calls }) => calls)),
    ),
  },
};

if (!process.argv.includes("--json")) {
  for (const knot of folderKnots) console.log(`folders that need each other: ${knot.join(" ")}`);
  for (const knot of fileKnots) console.log(`files that need each other: ${knot.join(" ")}`);
  console.log(`imports between tiers of core: ${measures.crossImports} %`);
  const ofFolders = perCent(betweenFolders.length, imports.length);
  console.log(`imports between folders of core, those inside of a tier included: ${ofFolders} %`);
  for (const [name, count] of Object.entries(measures.names))
    console.log(`${name}: ${count} names`);
  console.log(
    `of ${prose.comments} doc comments ${prose.clause} % begin with a clause, ${prose.pronoun} % with a pronoun`,
  );
  console.log(`public calls with an example: ${measures.prose.examples} %`);
}
console.log(JSON.stringify(measures));

/** The imports that leave what `place` says. */
function between(place: (path: string) => string): readonly Import[] {
  return imports
    .map(({ from, to }) => ({ from: place(from), to: place(to) }))
    .filter(({ from, to }) => from !== to);
}

/** The entry points in a package's manifest. */
function entriesOf(
  name: string,
  sources: readonly Source[],
): readonly {
  readonly name: string;
  readonly sources: readonly Source[];
  readonly doors: ReturnType<typeof doorsOf>;
}[] {
  const manifest = JSON.parse(readFileSync(`${root}packages/${name}/package.json`, "utf8")) as {
    readonly name: string;
    readonly exports?: Readonly<Record<string, { readonly "troupe-source"?: string }>>;
  };
  return Object.entries(manifest.exports ?? {}).flatMap(([door, { "troupe-source": file }]) =>
    file === undefined
      ? []
      : [
          {
            name: `${manifest.name}${door.slice(1)}`,
            sources,
            doors: doorsOf(sources, file.replace("./src/", "")),
          },
        ],
  );
}
