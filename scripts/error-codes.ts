/**
 * Writes docs/reference/errors.md: every error class with its code, from the sources. `node
 * scripts/error-codes.ts` rewrites it, `--check` only compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

interface ErrorEntry {
  readonly name: string;
  readonly code: string;
  readonly retryable: boolean;
  readonly what: string;
  readonly file: string;
}

const root = fileURLToPath(new URL("../", import.meta.url));
const page = `${root}docs/reference/errors.md`;
const declaration =
  /\/\*\*((?:(?!\*\/)[^])*)\*\/\s*export class (\w+) extends \w+ \{\s*(?:override )?readonly code(?:: \w+)? = "([\w-]+)";(\s*override readonly retryable = true;)?/g;

/** The page as it should be. */
export function errorPage(): string {
  const rows = errorEntries().map(
    ({ code, file, name, retryable, what }) =>
      `| \`${code}\` | [${name}](../../${file}) | ${retryable ? "yes" : "no"} | ${what} |`,
  );
  return `# Errors

Every error Troupe throws on purpose, from the sources (\`node scripts/error-codes.ts\` writes this page). \`code\` is what a
program branches on; "again" says whether the same call may succeed later. In a reply, a turn record or a dead letter an
error is \`{ code, message, retryable, details }\`; a handler's own error has the code \`handler-failed\`.

| code | class | again | what |
|---|---|---|---|
${rows.join("\n")}
`;
}

function errorEntries(): readonly ErrorEntry[] {
  const listed = execFileSync("git", ["ls-files", "packages/*.ts"], {
    cwd: root,
    encoding: "utf8",
  });
  const files = listed.split("\n").filter((file) => file !== "" && !file.endsWith(".test.ts"));
  return files.flatMap(entriesOf).toSorted((a, b) => (a.code < b.code ? -1 : 1));
}

function entriesOf(file: string): readonly ErrorEntry[] {
  const text = readFileSync(`${root}${file}`, "utf8");
  return [...text.matchAll(declaration)].map(([, comment = "", name = "", code = "", again]) => ({
    name,
    code,
    retryable: again !== undefined,
    // An example is for the API reference.
    what: comment
      .replace(/\s*\n\s*\* ?@example[^]*/, "")
      .replaceAll(/\s*\n\s*\* ?/g, " ")
      .trim()
      .replaceAll("|", "\\|"),
    file,
  }));
}

if (import.meta.main) {
  const wanted = errorPage();
  if (!process.argv.includes("--check")) writeFileSync(page, wanted);
  else if (readFileSync(page, "utf8") !== wanted) {
    process.stderr.write(
      "docs/reference/errors.md is not what the sources say: run node scripts/error-codes.ts\n",
    );
    process.exitCode = 1;
  }
}
