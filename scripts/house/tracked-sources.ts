/** The source files of every package, as git tracks them, without tests. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import type { Source } from "./import-graph.ts";

/** By the package's folder name; paths begin below its `src`. */
export function trackedSources(root: string): ReadonlyMap<string, readonly Source[]> {
  const listed = execFileSync("git", ["ls-files", "packages/*/src/*.ts"], {
    cwd: root,
    encoding: "utf8",
  });
  const files = listed.split("\n").filter((file) => file !== "" && !file.endsWith(".test.ts"));
  return Map.groupBy(
    files.map((file) => ({
      package: file.split("/")[1] ?? "",
      path: file.split("/").slice(3).join("/"),
      text: readFileSync(`${root}${file}`, "utf8"),
    })),
    (source) => source.package,
  );
}
