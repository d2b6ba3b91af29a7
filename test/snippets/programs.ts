/**
 * The programs that a page of documentation consists of.
 *
 * All blocks of one page are one program, in their order, so a reader may type them one after the
 * other. What the page takes for granted stands in a block that only the test sees, an HTML comment
 * that begins with `ts`. The words behind a block's language say more:
 *
 * - `program=NAME` belongs to another program of the page,
 * - `compile` in any block of a program: it is only type-checked (it needs what is not to be had
 *   here),
 * - `file=PATH` is a file of the repository, word for word, and a program of its own,
 * - `save=PATH` is a file that the reader makes: test/packed follows such pages.
 *
 * An import that stands in several blocks counts once.
 */
import { posix } from "node:path";

/** A program of a page. */
export interface Program {
  /** Such as "docs-limits", unique among all pages. */
  readonly name: string;
  /** The page's path. */
  readonly page: string;
  /** File in the repository in which its text stands, too. */
  readonly file: string | undefined;
  /** False when it is only type-checked. */
  readonly runs: boolean;
  readonly code: string;
}

interface Block {
  readonly words: readonly string[];
  readonly code: string;
}

const blocks = /^(?:```ts\b([^\n]*)\n(.*?)^```$|<!-- ts\b([^\n]*)\n(.*?)^-->$)/gms;

/** The programs of a page, in the order in which they begin. */
export function programsOf(page: string, markdown: string): Program[] {
  const programs = new Map<string, Block[]>();
  for (const block of blocksOf(markdown)) {
    const name = nameOf(page, block.words);
    programs.set(name, [...(programs.get(name) ?? []), block]);
  }
  return [...programs].map(([name, parts]) => ({
    name,
    page,
    file: valueOf(parts[0]?.words ?? [], "file"),
    runs: !parts.some(({ words }) => words.includes("compile")),
    code: withImportsOnce(parts.map(({ code }) => code).join("\n")),
  }));
}

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(blocks)]
    .map(([, words = "", code = "", hiddenWords = "", hiddenCode = ""]) => ({
      words: `${words} ${hiddenWords}`.split(" "),
      code: code + hiddenCode,
    }))
    .filter(({ words }) => valueOf(words, "save") === undefined);
}

function nameOf(page: string, words: readonly string[]): string {
  const file = valueOf(words, "file");
  if (file !== undefined) return posix.basename(file, ".ts");
  const whole = page.toLowerCase().replace(/\.md$/, "").replaceAll("/", "-");
  const part = valueOf(words, "program");
  return part === undefined ? whole : `${whole}-${part}`;
}

function valueOf(words: readonly string[], name: string): string | undefined {
  return words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
}

const namedImport = /^import (type )?\{([^}]*)\} from "([^"]+)";\n/gm;

/** Named imports at the beginning, one statement for each module. */
function withImportsOnce(code: string): string {
  const statements = [...code.matchAll(namedImport)];
  if (new Set(statements.map(([, , , from]) => from)).size === statements.length) return code;
  const names = new Map<string, Set<string>>();
  for (const [, type = "", list = "", from = ""] of statements) {
    const known = names.get(from) ?? new Set();
    names.set(from, known);
    for (const name of list.split(",").map((part) => part.trim())) {
      if (name !== "") known.add(type + name);
    }
  }
  const imports = [...names].map(
    ([from, of]) => `import { ${[...of].join(", ")} } from "${from}";\n`,
  );
  return imports.join("") + code.replaceAll(namedImport, "");
}
