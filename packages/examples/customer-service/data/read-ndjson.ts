/**
 * Reads a bundled NDJSON file: one JSON value per line, each validated.
 *
 * The files are part of the example, so a bad line is a mistake of ours: it fails at once and names
 * its place.
 */
import { readFileSync } from "node:fs";
import type { z } from "zod";

/** All lines of `file`, in file order. Throws an error that names the file and the line number. */
export function readNdjson<Line>(file: URL, schema: z.ZodType<Line>): readonly Line[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line, index) =>
      line.trim() === "" ? [] : [parseLine(line, index + 1, file, schema)],
    );
}

function parseLine<Line>(line: string, number: number, file: URL, schema: z.ZodType<Line>): Line {
  try {
    return schema.parse(JSON.parse(line));
  } catch (cause) {
    throw new Error(`${file.pathname}:${number} is not a valid line; correct it.`, { cause });
  }
}
