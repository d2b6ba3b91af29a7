/** Finds what an entry point exports, and which of its calls show an example. */
import { posix } from "node:path";

import type { Source } from "./import-graph.ts";

/** A name that an entry point exports, with the source that declares it. */
export interface Door {
  readonly name: string;
  readonly declaredIn: string;
}

export interface Examples {
  /** Functions, and methods of classes and interfaces. */
  readonly calls: number;
  /** Number of them that have an `@example`. */
  readonly shown: number;
}

const declared =
  /^export (?:declare |abstract |async )*(?:function\*?|class|const|let|interface|type|enum) (\w+)/gm;
const list = /^export (?:type )?\{([^}]*)\}(?: from "(\.[^"]+)")?/gm;
const star = /^export (?:type )?\*(?: as (\w+))? from "(\.[^"]+)"/gm;

/** Exports of `entry`, each name once. */
export function doorsOf(
  sources: readonly Source[],
  entry: string,
  seen: Set<string> = new Set(),
): readonly Door[] {
  if (seen.has(entry)) return [];
  seen.add(entry);
  const text = sources.find(({ path }) => path === entry)?.text ?? "";
  const target = (specifier: string): string => posix.join(posix.dirname(entry), specifier);
  const own = [...text.matchAll(declared)].map(([, name = ""]) => ({ name, declaredIn: entry }));
  const listed = [...text.matchAll(list)].flatMap(([, names = "", from]) =>
    exportedNames(names).map(({ inside, outside }) => {
      const door = from === undefined ? undefined : declaring(sources, target(from), inside);
      return { name: outside, declaredIn: door ?? (from === undefined ? entry : target(from)) };
    }),
  );
  const all = [...text.matchAll(star)].flatMap(([, name, from = ""]) =>
    name === undefined ? doorsOf(sources, target(from), seen) : [{ name, declaredIn: entry }],
  );
  return [...new Map([...own, ...listed, ...all].map((door) => [door.name, door])).values()];
}

/** Path of the source that declares what another one only passes on. */
function declaring(sources: readonly Source[], path: string, name: string): string | undefined {
  return doorsOf(sources, path).find((door) => door.name === name)?.declaredIn;
}

function exportedNames(
  names: string,
): readonly { readonly inside: string; readonly outside: string }[] {
  return names
    .split(",")
    .map((part) => part.trim().replace(/^type /, ""))
    .filter((part) => part !== "")
    .map((part) => {
      const [inside = "", outside = inside] = part.split(" as ");
      return { inside, outside };
    });
}

/** The calls behind these doors. */
export function examplesOf(sources: readonly Source[], doors: readonly Door[]): Examples {
  const calls = doors.flatMap(({ declaredIn, name }) => {
    const text = sources.find(({ path }) => path === declaredIn)?.text ?? "";
    return callsOf(text, name);
  });
  return { calls: calls.length, shown: calls.filter((comment) => isExample(comment)).length };
}

const isExample = (comment: string): boolean => comment.includes("@example");

/** The doc comment of each call that a declaration offers; empty where there is none. */
function callsOf(text: string, name: string): readonly string[] {
  const start = text.search(
    new RegExp(
      `^export (?:declare |abstract |async )*(?:function\\*?|class|interface) ${name}\\b`,
      "m",
    ),
  );
  if (start < 0) return [];
  const end = text.indexOf("\n}", start);
  const body = text.slice(start, end < 0 ? undefined : end);
  if (/^export (?:declare |async )*function/.test(body)) return [commentBefore(text, start)];
  const method =
    /^ {2}(?:(?:async|static) )?\*?(?!(?:constructor|if|for|while|switch|return)\b)([a-z]\w*)(?:<|\()/gm;
  return [...body.matchAll(method)].map(({ index }) => commentBefore(text, start + index));
}

function commentBefore(text: string, at: number): string {
  const before = text.slice(0, at).trimEnd();
  return before.endsWith("*/") ? before.slice(before.lastIndexOf("/**")) : "";
}
