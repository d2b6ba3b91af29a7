/** Logs that break the rules of cells. */
import { noticesMutants, type Mutant } from "./mutant.ts";

/** Long enough for every check to end well on a log that keeps the rules. */
const patienceMs = 1500;

const mutants: readonly Mutant[] = [
  {
    does: "writes a cell whatever its revision is",
    failsAt: "LOG-7: a write that does not name the last revision is refused and changes nothing",
    mutate: (log) => ({
      writeCell: async (name, value) =>
        log.writeCell(name, value, (await log.cell(name))?.revision ?? 0),
    }),
  },
  {
    does: "loses a write to a cell when somebody else comes in between",
    failsAt: "LOG-7: of many that count in one cell at once, none is lost",
    mutate: (log) => ({
      writeCell: (name, value, expected) =>
        log.writeCell(name, value, expected).catch(() => expected + 1),
    }),
  },
  {
    does: "reads an old value of a cell for ever",
    failsAt: "a cell is what was written last, with its revision and time, for everybody",
    mutate: (log) => {
      const seen = new Map<string, ReturnType<typeof log.cell>>();
      return {
        cell: (name) => {
          const cell = seen.get(name) ?? log.cell(name);
          seen.set(name, cell);
          return cell;
        },
      };
    },
  },
  {
    does: "has one cell for all names",
    failsAt: "cells of any name are apart, and a value that is too large is refused",
    mutate: (log) => ({
      cell: () => log.cell("the cell"),
      writeCell: async (_, value) =>
        log.writeCell("the cell", value, (await log.cell("the cell"))?.revision ?? 0),
    }),
  },
  {
    does: "does not tell that a cell changed",
    failsAt: "who watches a cell hears what is written to it, and nothing of another one",
    mutate: () => ({ onCell: () => () => undefined }),
  },
  {
    does: "forgets cells in a restart",
    failsAt: "a cell survives a restart of the broker, and is still guarded",
    mutate: (log) => {
      let isDown = false;
      log.onStatus((status) => (isDown ||= status === "disconnected"));
      return { cell: async (name) => (isDown ? undefined : log.cell(name)) };
    },
  },
];

noticesMutants(mutants.map((mutant) => ({ ...mutant, patienceMs })));
