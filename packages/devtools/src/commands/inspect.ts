/** `troupe inspect`: one agent's state and its last turns, from the journal. */
import { agentName } from "@troupe/core";
import type { Agent, AgentDefinition, AgentId, JournaledTurn, Troupe } from "@troupe/core";
import type { Command } from "commander";
import { parseAgentArgument } from "../agent-argument.ts";
import { openTroupe } from "../connection.ts";
import { parseCount } from "../count-option.ts";
import { addExamples } from "../help-text.ts";
import { CommandError, UsageError } from "../failure.ts";
import type { GlobalOptions } from "../global-options.ts";
import { readableTurn, turnData } from "../log-entry.ts";
import { moduleAgents } from "../module-agents.ts";
import type { Run } from "../run.ts";
import { entryLine } from "../terminal/entry-line.ts";
import { toJson } from "../terminal/json.ts";
import { count, counted } from "../terminal/quantities.ts";
import { turnOutcome } from "../turn-summary.ts";

interface InspectOptions extends GlobalOptions {
  readonly module?: string;
  readonly last: number;
  readonly json?: boolean;
}

interface History {
  readonly turns: number;
  readonly last: readonly JournaledTurn[];
  /** Only with the definition at hand. */
  readonly state?: unknown;
}

const lastMax = 10_000;

export function addInspect(program: Command, run: Run): void {
  const command = program
    .command("inspect")
    .summary("an agent's state and its last turns")
    .description(
      "Show an agent's state and its last turns, from its journal. Nothing is called: with " +
        "--module the events are folded with the definition that the module exports.",
    )
    .argument("<agent>", "type/key", parseAgentArgument)
    .option("--module <file>", "the module that exports the agent's definition, for the state")
    .option("--last <count>", "how many turns to show", parseCount(0, lastMax), 10)
    .option("--json", "one JSON object")
    .action(async (agent: AgentId, _: unknown, self: Command) => {
      await inspect(agent, self.optsWithGlobals<InspectOptions>(), run);
    });
  addExamples(command, [
    ["troupe inspect account/alice --module ./agents.ts", "the state and the last ten turns"],
    ["troupe inspect account/alice --last 100 --json", "turns as data, without the definition"],
  ]);
}

async function inspect(agent: AgentId, options: InspectOptions, run: Run): Promise<void> {
  const definition = options.module && (await definitionOf(agent, options.module));
  await using troupe = await openTroupe(options, run, { createStreams: false });
  const history = await run.interruption.orInterrupted(
    definition
      ? replayedHistory(troupe, definition, { key: agent.key, last: options.last })
      : journaledHistory(troupe, agent, options.last),
  );
  if (history.turns === 0) await requireKnownType(troupe, agent);
  if (options.json === true) {
    const { turns, last, ...state } = history;
    const shown = last.map((turn) => turnData(agent, turn));
    run.terminal.print(toJson({ agent: agentName(agent), turns, ...state, last: shown }));
    return;
  }
  show(agent, history, run);
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
  { key, last }: { readonly key: string; readonly last: number },
): Promise<History> {
  let state = definition.initialState;
  const turns = troupe.replay(definition as Agent<unknown, unknown, unknown>, key);
  const history = await collect(turns, last, (turn) => {
    state = turn.state;
  });
  return { ...history, state };
}

function journaledHistory(troupe: Troupe, agent: AgentId, last: number): Promise<History> {
  return collect(troupe.turns(agent.type, agent.key), last, () => undefined);
}

/** Only the last turns are kept, however long the history is. */
async function collect<Turn extends JournaledTurn>(
  turns: AsyncIterable<Turn>,
  keep: number,
  onTurn: (turn: Turn) => void,
): Promise<History> {
  const last: JournaledTurn[] = [];
  let all = 0;
  for await (const turn of turns) {
    all += 1;
    onTurn(turn);
    const { revision, record, steps, committedAtMs } = turn;
    last.push({ revision, record, steps, committedAtMs });
    if (last.length > keep) last.shift();
  }
  return { turns: all, last };
}

async function requireKnownType(troupe: Troupe, agent: AgentId): Promise<void> {
  const types = (await troupe.log.manifests()).map(({ type }) => type);
  if (types.includes(agent.type)) return;
  const known = types.length === 0 ? "there are none yet" : `there are: ${types.join(", ")}`;
  throw new CommandError(
    `${agentName(agent)} has no turns, and no worker ever hosted the type ${agent.type}; ${known}.`,
  );
}

function show(agent: AgentId, history: History, { terminal }: Run): void {
  const name = terminal.paint("bold", agentName(agent));
  const { last, turns } = history;
  terminal.print(`${name}  ${turns === 0 ? "no turns yet" : counted(turns, "turn")}`);
  terminal.print("");
  if ("state" in history) {
    terminal.print(terminal.paint("bold", "State"));
    terminal.printLines(toJson(history.state, 2));
  } else {
    terminal.print("To see the state, name the module that exports the definition:");
    terminal.print(`  troupe inspect ${agentName(agent)} --module <file>`);
  }
  if (last.length === 0) return;
  const title = last.length < turns ? `Last ${count(last.length)} turns` : "Turns";
  terminal.printLines(`\n${terminal.paint("bold", title)}`);
  for (const turn of last) {
    const address = `#${turn.record.turn} ${turn.record.message}`;
    const summary = turnOutcome(turn.record);
    terminal.print(entryLine({ ...readableTurn(agent, turn), address, summary }, terminal));
  }
}
