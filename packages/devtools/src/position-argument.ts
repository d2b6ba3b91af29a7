/** A position on the command line. */
import type { Position } from "@troupe/core/log";
import { InvalidArgumentError } from "commander";

/** @throws InvalidArgumentError */
export function parsePosition(text: string): Position {
  const position = Number(text);
  if (/^\d+$/.test(text) && position > 0 && Number.isSafeInteger(position)) return position;
  throw new InvalidArgumentError("Write a position as the commands show it, such as 42.");
}
