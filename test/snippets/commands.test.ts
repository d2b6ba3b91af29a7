/** Every `troupe` command that a page shows exists, with the options that it is given there. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import { readPages } from "./read-pages.ts";

const run = promisify(execFile);
const program = fileURLToPath(new URL("../../packages/devtools/src/main.ts", import.meta.url));
const timeout = 120_000;

/** A command in a line of a shell, or in a sentence. */
const lines = /^(?:npx |npm run )?troupe (?:-- )?([^#\n]+)/gm;
const sentences = /`(?:npx )?troupe ([a-z][^`]*)`/g;
const shells = /^```sh\n(.*?)^```$/gms;

interface Shown {
  readonly page: string;
  readonly words: readonly string[];
}

const helps = new Map<string, Promise<string>>();

/** What `troupe help …` says; empty when there is no such command. */
function helpOf(...path: readonly string[]): Promise<string> {
  const known = helps.get(path.join(" "));
  if (known !== undefined) return known;
  const parameters = ["--conditions=troupe-source", program, ...path, "--help"];
  const asked = run(process.execPath, parameters, { timeout }).then(
    ({ stdout }) => stdout,
    () => "",
  );
  helps.set(path.join(" "), asked);
  return asked;
}

/** The commands that a help lists. */
const commandsIn = (help: string): string[] =>
  [
    ...(/^Commands:\n([^]*?)(?:\n\n|(?![^]))/m.exec(help)?.[1] ?? "").matchAll(/^ {2}([a-z-]+)/gm),
  ].map(([, name = ""]) => name);

async function faultOf({ words }: Shown): Promise<string | undefined> {
  const root = await helpOf();
  const [command = "", second = ""] = words.filter((word) => !word.startsWith("-"));
  if (command === "help") return undefined;
  if (!commandsIn(root).includes(command)) return `there is no command ${command}`;
  const own = await helpOf(command);
  const nested = commandsIn(own);
  const isNested = nested.length > 0 && second !== "" && /^[a-z]+$/.test(second);
  if (isNested && !nested.includes(second)) return `${command} has no ${second}`;
  const help = root + own + (isNested ? await helpOf(command, second) : "");
  const options = words.filter((word) => /^--[a-z]/.test(word));
  const unknown = options.find((option) => !help.includes(option.replace(/=.*$/, "")));
  return unknown === undefined ? undefined : `${command} takes no ${unknown}`;
}

test("every command of the pages exists, with its options", { timeout }, async () => {
  const pages = await readPages();
  const shown: Shown[] = pages.flatMap(({ path, text }) =>
    [
      ...[...text.matchAll(shells)].flatMap(([, shell = ""]) => [...shell.matchAll(lines)]),
      ...text.matchAll(sentences),
    ].map(([, command = ""]) => ({ page: path, words: wordsOf(command) })),
  );
  expect(shown.length).toBeGreaterThan(60);
  const faults: string[] = [];
  for (const each of shown) {
    const fault = await faultOf(each);
    if (fault !== undefined) faults.push(`${each.page}: troupe ${each.words.join(" ")}: ${fault}`);
  }
  expect(faults).toEqual([]);
});

/** What a shell makes of it; what is quoted is no command and no option. */
const wordsOf = (command: string): string[] =>
  command
    .replaceAll(/'[^']*'|"[^"]*"/g, "text")
    .split(/\s+/)
    .filter((word) => word !== "" && word !== "\\");
