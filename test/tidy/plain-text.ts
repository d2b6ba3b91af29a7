/**
 * Words that no tracked file says: unfinished work, one machine's folders, a registry's address.
 */
import { matchingLines, type Rule } from "./rule.ts";

/** Joins a word from two halves, so that this file does not break its own rules. */
const word = (start: string, end: string): string => start + end;

const toDo = word("TO", "DO");
const home = word("/ho", "me/");
const registryHost = word("registry.np", "mjs.org");

const unfinished = new RegExp(`\\b(?:${toDo}|${word("FIX", "ME")}|${word("XX", "X")})\\b`);
const folders = [home, word("/Us", "ers/"), word("/ro", "ot/"), word("/wo", "rk/")].join("|");
const machineFolder = new RegExp(`(?:^|[\\s"'\`(=:])(?:${folders})[\\w.]`);
const hosts = [registryHost, word("registry.ya", "rnpkg.com"), word("npm.pkg.gi", "thub.com")];
const registry = new RegExp(hosts.join("|").replaceAll(".", "\\."));

const file = (text: string) => [{ path: "packages/core/src/turn.ts", text }];

export const finishedWork: Rule = {
  says: "no file leaves work for later in a comment",
  breaches: ({ text }) => matchingLines(text, unfinished, "do it, or file an issue"),
  broken: file(`// ${toDo}: retry\n`),
};

export const noMachineFolders: Rule = {
  says: "no file names a folder of one machine",
  breaches: ({ text }) => matchingLines(text, machineFolder, "use a relative path"),
  broken: file(`const data = "${home}someone/data";\n`),
};

export const noRegistryHosts: Rule = {
  says: "no file names a registry host",
  breaches: ({ text }) => matchingLines(text, registry, "leave it to the user's npm"),
  broken: file(`const registry = "https://${registryHost}";\n`),
};
