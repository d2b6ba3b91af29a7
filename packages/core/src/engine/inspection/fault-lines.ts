/**
 * Faults for whoever listens to nothing: a readable line each on the error stream.
 *
 * A fault that lasts comes again with every try, so each kind has a few lines in ten seconds; the
 * number of further ones is told when they are over. Kinds are told apart by what was being done,
 * without its ids, and by the error's code.
 */
import type { Clock } from "../../clock/clock.ts";
import type { Fault, FaultListener } from "./inspection-feed.ts";
import { printable } from "./printable.ts";

export interface FaultLinesOptions {
  readonly clock: Pick<Clock, "after">;
  /** Called with each line. @default the error stream */
  readonly write?: (line: string) => void;
}

export interface FaultLines {
  readonly hear: FaultListener;
  /** Say what is still held back. */
  close(): void;
}

export function faultLines({ clock, write = toErrorStream }: FaultLinesOptions): FaultLines {
  const kinds = new Map<string, Kind>();
  const end = (name: string, kind: Kind): void => {
    kinds.delete(name);
    kind.cancel();
    const { last, leftOut } = kind;
    if (leftOut > 0) write(`troupe: ${leftOut} more of these, the last one: ${textOf(last)}`);
  };
  const begin = (name: string, fault: Fault): Kind => {
    const cancel = clock.after(periodMs, () => end(name, made));
    const made: Kind = { lines: 0, leftOut: 0, last: fault, cancel };
    kinds.set(name, made);
    return made;
  };
  return {
    hear(fault) {
      const own = kindOf(fault);
      const name = kinds.has(own) || kinds.size < kindsMax ? own : "";
      const kind = kinds.get(name) ?? begin(name, fault);
      kind.last = fault;
      if (kind.lines === linesMax) kind.leftOut += 1;
      else {
        kind.lines += 1;
        write(`troupe: ${textOf(fault)}`);
      }
    },
    close() {
      for (const [name, kind] of kinds) end(name, kind);
    },
  };
}

/** A kind of fault, with its count in its period. */
interface Kind {
  lines: number;
  leftOut: number;
  last: Fault;
  readonly cancel: () => void;
}

const periodMs = 10_000;
/** Lines of one kind in a period. */
const linesMax = 3;
/** Kinds at a time; all others share one (I7). */
const kindsMax = 64;
const lineMax = 1000;

/** The activity that failed, up to the ids. */
function kindOf({ failure, what }: Fault): string {
  return `${what.split(" of ", 1)[0]} ${failure.code}`;
}

/** Text of a fault on one line, without anything that moves a terminal or hides in it. */
function textOf({ failure, what }: Fault): string {
  const text = `${what}: ${failure.message} [${failure.code}]`.slice(0, lineMax);
  return printable(text.replaceAll(/\s+/g, " "));
}

function toErrorStream(line: string): void {
  process.stderr.write(`${line}\n`);
}
