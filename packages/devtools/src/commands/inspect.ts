/** `troupe inspect`: one agent's state and its last turns, from the journal. */
import { agentName } from "@troupe/core/log";
import { printable } from "@troupe/core/operate";
import type { Agent, Troupe } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import type { AgentId, Position } from "@troupe/core/log";
import type {
  JournalBeginning,
  JournaledErasure,
  JournaledTurn,
  RecordedState,
} from "@troupe/core/operate";
import type { Command } from "commander";
import { parseAgentArgument } from "../agent-argument.ts";
import { openTroupe } from "../connection.ts";
import { parseCount } from "../count-option.ts";
import { parsePosition } from "../position-argument.ts";
import { addExamples } from "../help-text.ts";
import { CommandError, UsageError } from "../failure.ts";
import type { GlobalOptions } from "../global-options.ts";
import { readableTurn, turnData } from "../log-entry.ts";
import { moduleAgents } from "../module-agents.ts";
import type { Run } from "../run.ts";
import { entryLine } from "../terminal/entry-line.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { toJson } from "../terminal/json.ts";
import { count, counted } from "../terminal/quantities.ts";
import { wrapText } from "../terminal/wrap-text.ts";
import { turnDetails } from "../turn-details.ts";
import { turnOutcome } from "../turn-summary.ts";

interface InspectOptions extends GlobalOptions {
  readonly module?: string;
  readonly last: number;
  readonly at?: Position;
  readonly details?: boolean;
  readonly json?: boolean;
}

interface History {
  readonly turns: number;
  /** The first turn that is kept, when earlier ones were removed. */
  readonly begins?: { readonly turn: number; readonly position: Position } | undefined;
  /** The last erasure; turns of before it are gone. */
  readonly erased?: Erased | undefined;
  readonly last: readonly JournaledTurn[];
  /** Only with the definition at hand. */
  readonly state?: unknown;
  /** Without it: the newest state that was stored, and after which turn it was so. */
  readonly recorded?: RecordedState | undefined;
}

interface Erased {
  readonly position: Position;
  readonly at: string;
  readonly by: string;
  readonly reason: string | undefined;
  /** Turns that are gone. */
  readonly turns: number;
}

const lastMax = 10_000;

export function addInspect(program: Command, run: Run): void {
  const command = program
    .command("inspect")
    .summary("an agent's state and its last turns")
    .description(
      "Show an agent's state and its last turns, from its journal. Nothing is called: with " +
        "--module the events are folded with the definition that the module exports; without it the " +
        "newest state is shown that a worker has stored.",
    )
    .argument("<agent>", "type/key", parseAgentArgument)
    .option("--module <file>", "the module that exports the agent's definition, for the state")
    .option(
      "--at <position>",
      "as it was then: after the turn at a position, or after the message at one was handled",
      parsePosition,
    )
    .option("--last <count>", "how many turns to show", parseCount(0, lastMax), 10)
    .option("--details", "with the times, failed runs, steps, messages and trace of each turn")
    .option("--json", "one JSON object")
    .action(async (agent: AgentId, _: unknown, self: Command) => {
      await inspect(agent, self.optsWithGlobals<InspectOptions>(), run);
    });
  addExamples(command, [
    ["troupe inspect account/alice --module ./agents.ts", "the state and the last ten turns"],
    ["troupe inspect account/alice --module ./agents.ts --at 1207", "the state after that turn"],
    ["troupe inspect account/alice --last 1 --details", "all that its last record says"],
    ["troupe inspect account/alice --last 100 --json", "turns as data, without the definition"],
  ]);
}

async function inspect(agent: AgentId, options: InspectOptions, run: Run): Promise<void> {
  const definition = options.module && (await definitionOf(agent, options.module));
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const { at, last } = options;
  const reading = revisionAt(troupe, agent, at).then((until) =>
    definition
      ? replayedHistory(troupe, definition, { key: agent.key, last, until })
      : journaledHistory(troupe, agent, { last, until }),
  );
  const history = await run.interruption.orInterrupted(reading);
  if (history.turns === 0 && at === undefined) await requireKnownType(troupe, agent);
  if (options.json === true) {
    const { turns, last: turnsShown, ...rest } = history;
    const shown = turnsShown.map((turn) => ({ ...turnData(agent, turn), steps: turn.steps }));
    run.terminal.print(toJson({ agent: agentName(agent), at, turns, ...rest, last: shown }));
    return;
  }
  show(agent, history, options, run);
}

/**
 * The last turn that belongs to a position: the one stored there, the one that handled the message
 * there, or else the last one stored before.
 */
async function revisionAt(
  troupe: Troupe,
  { type, key }: AgentId,
  at: Position | undefined,
): Promise<Position> {
  if (at === undefined) return Infinity;
  let until = 0;
  for await (const { record, revision } of troupe.turns(type, key)) {
    if (revision === at || record.inputPosition === at) return revision;
    if (revision < at) until = revision;
  }
  return until;
}

interface Extent {
  /** Number of the last turns that are shown. */
  readonly last: number;
  /** Revision of the last turn that counts. */
  readonly until: Position;
}

async function definitionOf({ type }: AgentId, module: string): Promise<AgentDefinition> {
  const agents = await moduleAgents(module);
  const found = agents.find(({ definition }) => definition.type === type);
  if (found !== undefined) return found.definition;
  const types = agents.map(({ definition }) => definition.type).join(", ");
  throw new UsageError(`${module} exports no agent of the type ${type}; it exports: ${types}.`);
}

async function replayedHistory(
  troupe: Troupe,
  definition: AgentDefinition,
  { key, ...extent }: Extent & { readonly key: string },
): Promise<History> {
  let state = definition.initialState;
  let begins: JournalBeginning | undefined;
  const onBeginning = (beginning: JournalBeginning & { readonly state: unknown }): void => {
    begins = beginning;
    state = beginning.state;
  };
  const agent = definition as Agent<unknown, unknown, unknown>;
  const seen = new Seen(extent);
  const onErased = (erasure: JournaledErasure): void => {
    if (seen.erase(erasure)) state = definition.initialState;
  };
  for await (const turn of troupe.replay(agent, key, { onBeginning, onErased })) {
    if (!seen.add(turn)) break;
    state = turn.state;
  }
  return { ...begun(seen.history, begins, extent), state };
}

async function journaledHistory(troupe: Troupe, agent: AgentId, extent: Extent): Promise<History> {
  let begins: JournalBeginning | undefined;
  const onBeginning = (beginning: JournalBeginning): void => void (begins = beginning);
  const seen = new Seen(extent);
  const onErased = (erasure: JournaledErasure): void => void seen.erase(erasure);
  for await (const turn of troupe.turns(agent.type, agent.key, { onBeginning, onErased })) {
    if (!seen.add(turn)) break;
  }
  const history = begun(seen.history, begins, extent);
  // Of an earlier time nobody has stored one.
  if (extent.until !== Infinity) return history;
  return { ...history, recorded: await troupe.recordedState(agent.type, agent.key) };
}

/** With the turns that are not kept any more. @throws CommandError for a time before these */
function begun(history: History, begins: JournalBeginning | undefined, { until }: Extent): History {
  if (begins === undefined) return history;
  const { revision: position, turn } = begins;
  if (until < position) {
    throw new CommandError(
      `The journal begins at turn ${turn} (base record at position ${position}): what was before that was removed by the agent's retention.`,
    );
  }
  return { ...history, turns: turn - 1 + history.turns, begins: { turn, position } };
}

/** What was read so far: only the last turns are kept, however long the history is. */
class Seen {
  readonly #extent: Extent;
  #turns = 0;
  #last: JournaledTurn[] = [];
  #erased: Erased | undefined;

  constructor(extent: Extent) {
    this.#extent = extent;
  }

  get history(): History {
    return { turns: this.#turns, erased: this.#erased, last: this.#last };
  }

  /** False for a turn behind the last one that counts. */
  add({ revision, record, steps, committedAtMs }: JournaledTurn): boolean {
    if (revision > this.#extent.until) return false;
    this.#turns += 1;
    this.#last.push({ revision, record, steps, committedAtMs });
    if (this.#last.length > this.#extent.last) this.#last.shift();
    return true;
  }

  /** The turns of before are gone, or about to be. False for an erasure that came later. */
  erase({ revision: position, tombstone }: JournaledErasure): boolean {
    if (position > this.#extent.until) return false;
    const { by, erasedAtMs, reason, turns } = tombstone;
    this.#erased = { position, at: new Date(erasedAtMs).toISOString(), by, reason, turns };
    this.#turns = 0;
    this.#last = [];
    return true;
  }
}

async function requireKnownType(troupe: Troupe, agent: AgentId): Promise<void> {
  const types = (await troupe.log.manifests()).map(({ type }) => type);
  if (types.includes(agent.type)) return;
  const known =
    types.length === 0 ? "there are none yet" : `there are: ${types.toSorted().join(", ")}`;
  throw new CommandError(
    `${agentName(agent)} has no turns, and no worker ever hosted the type ${agent.type}; ${known}.`,
  );
}

function show(agent: AgentId, history: History, options: InspectOptions, { terminal }: Run): void {
  const { at, details } = options;
  const name = terminal.paint("bold", agentName(agent));
  const { last, turns } = history;
  const then = at === undefined ? "" : ` at position ${at}`;
  const none = history.erased === undefined ? "no turns yet" : "no turns since it was erased";
  terminal.print(`${name}  ${turns === 0 ? none : counted(turns, "turn")}${then}`);
  if (history.erased !== undefined) {
    const { at: when, by, reason, turns: gone } = history.erased;
    const why = reason === undefined ? "" : `, ${reason}`;
    const text = `Erased on ${when} by ${by}${why}, after ${counted(gone, "turn")}.`;
    terminal.printLines(wrapText(printable(text), terminal.width));
  }
  if (history.begins !== undefined) {
    const { position, turn } = history.begins;
    terminal.print(`The journal begins at turn ${turn}, with a base record at ${position}.`);
  }
  terminal.print("");
  showState(agent, history, terminal);
  if (last.length === 0) return;
  const title = last.length < turns ? `Last ${count(last.length)} turns` : "Turns";
  terminal.printLines(`\n${terminal.paint("bold", title)}`);
  for (const turn of last) {
    const address = `#${turn.record.turn} ${turn.record.message}`;
    const summary = turnOutcome(turn.record);
    terminal.print(entryLine({ ...readableTurn(agent, turn), address, summary }, terminal));
    if (details !== true) continue;
    // Whole: a terminal that is narrow breaks the lines by itself.
    for (const line of turnDetails(turn)) terminal.print(`  ${printable(line)}`);
  }
}

/** With the definition as it is now; without it as somebody stored it, if anybody did. */
function showState(agent: AgentId, history: History, terminal: Terminal): void {
  const { recorded, turns } = history;
  if ("state" in history) {
    terminal.print(terminal.paint("bold", "State"));
    terminal.printLines(toJson(history.state, 2));
    return;
  }
  if (recorded !== undefined) {
    const { from, position, state, turn } = recorded;
    const what = from === "base" ? "base record" : "snapshot";
    const later = turns > turn ? `; ${counted(turns - turn, "turn")} came after it` : "";
    const title = terminal.paint("bold", `State after turn ${turn}`);
    terminal.print(`${title} (${what} at ${position}${later})`);
    terminal.printLines(`${toJson(state, 2)}\n`);
  }
  terminal.print("To see the state now, name the module that exports the definition:");
  terminal.print(`  troupe inspect ${agentName(agent)} --module <file>`);
}
