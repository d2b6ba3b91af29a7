/** The files that the rules look at: what git tracks and what still exists in the work tree. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TrackedFile } from "./rule.ts";

export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** False in a downloaded archive, where the rules have nothing to look at. */
export const isCheckout: boolean = existsSync(join(root, ".git"));

/** Binary files are left out: a NUL byte tells them. */
export function trackedFiles(): TrackedFile[] {
  if (!isCheckout) return [];
  const list = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" });
  return list
    .split("\0")
    .filter((path) => path !== "" && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }))
    .filter(({ text }) => !text.includes("\0"));
}
