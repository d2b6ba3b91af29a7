/**
 * The pages that have programs: the README of the repository and of each package, and all of docs/.
 */
import { readdir, readFile } from "node:fs/promises";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

import { programsOf, type Program } from "./programs.ts";

const root = new URL("../../", import.meta.url);

/** A page of the documentation. */
export interface Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** Every page, by path. */
export async function readPages(): Promise<Page[]> {
  const packages = await readdir(new URL("packages/", root));
  const docs = await readdir(new URL("docs/", root), { recursive: true });
  const paths = [
    "README.md",
    ...packages.map((name) => posix.join("packages", name, "README.md")),
    ...docs.filter((name) => name.endsWith(".md")).map((name) => posix.join("docs", name)),
  ];
  const pages = await Promise.all(paths.map(readPage));
  return pages.filter((page) => page !== undefined);
}

/** The programs of all pages. */
export async function readPrograms(): Promise<Program[]> {
  return (await readPages()).flatMap(({ path, text }) => programsOf(path, text));
}

async function readPage(path: string): Promise<Page | undefined> {
  try {
    return { path, text: await readFile(fileURLToPath(new URL(path, root)), "utf8") };
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}
