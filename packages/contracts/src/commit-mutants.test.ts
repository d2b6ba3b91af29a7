/** Logs that break the rules of accepting and committing. */
import type { Accepted, JournalEntry, Log, TurnCommit } from "@troupe/core/log";
import { account, bytes } from "./drafts.ts";
import { noticesMutants, type Mutant } from "./mutant.ts";

const mutants: readonly Mutant[] = [
  {
    does: "accepts before it stores",
    failsAt: "an accepted message is readable at its position",
    mutate: () => ({ accept: async () => ({ position: 1, duplicate: false }) }),
  },
  {
    does: "loses metadata",
    failsAt: "an accepted message is readable at its position",
    mutate: (log) => ({
      accept: (draft, options) => {
        const { correlationId: _, ...metadata } = draft.metadata;
        return log.accept({ ...draft, metadata }, options);
      },
    }),
  },
  {
    does: "stores the same id again",
    failsAt: "the same id twice stores once and gives the first position",
    mutate: (log) => ({
      accept: (draft) => log.accept({ ...draft, metadata: { ...draft.metadata, id: undefined } }),
    }),
  },
  {
    does: "does not say that it was a duplicate",
    failsAt: "the same id accepted twice at once stores once",
    mutate: (log) => ({
      accept: async (draft) => ({ ...(await log.accept(draft)), duplicate: false }),
    }),
  },
  {
    does: "ignores the signal of accept",
    failsAt: "an aborted accept is refused at once and stores nothing",
    mutate: (log) => ({ accept: (draft) => log.accept(draft) }),
  },
  {
    does: "stores what a turn sends in another order",
    failsAt: "what a turn sends lies right behind its record, in order, also in a chain",
    mutate: (log) => ({
      commit: (turns) =>
        log.commit(turns.map((each) => ({ ...each, outgoing: each.outgoing.toReversed() }))),
    }),
  },
  {
    does: "ignores the expected revision",
    failsAt: "a stale revision is a conflict and stores nothing",
    mutate: (log) => ({ commit: async (turns) => log.commit(await onCurrentRevision(log, turns)) }),
  },
  {
    does: "lets two concurrent commits win",
    failsAt: "of concurrent commits on one revision exactly one wins",
    mutate: (log) => ({
      commit: (turns) =>
        log.commit(turns).catch(async () => log.commit(await onCurrentRevision(log, turns))),
    }),
  },
  {
    does: "drops a turn in conflict and says nothing",
    failsAt: "a stale revision is a conflict and stores nothing",
    mutate: (log) => ({ commit: (turns) => log.commit(turns).catch(() => turns.map(() => 1)) }),
  },
  {
    does: "commits turn by turn",
    failsAt: "a conflict stores nothing of the other turns of its commit, nor what they send",
    mutate: (log) => ({ commit: (turns) => oneByOne(log, turns) }),
  },
  {
    does: "commits turn by turn, so a large commit is no problem",
    failsAt: "a commit of the most messages is stored, one more is refused and stores nothing",
    mutate: (log) => ({ commit: (turns) => oneByOne(log, turns) }),
  },
  {
    does: "sends before it commits",
    failsAt: "a conflict stores nothing of the other turns of its commit, nor what they send",
    mutate: (log) => ({
      commit: async (turns) => {
        for (const draft of turns.flatMap(({ outgoing }) => outgoing)) await log.accept(draft);
        return log.commit(turns.map((turn) => ({ ...turn, outgoing: [] })));
      },
    }),
  },
  {
    does: "forgets what a turn sends",
    failsAt: "a commit stores the record and what the turn sends",
    mutate: (log) => ({
      commit: (turns) => log.commit(turns.map((turn) => ({ ...turn, outgoing: [] }))),
    }),
  },
  {
    does: "returns positions that are not the revisions",
    failsAt: "the positions a commit returns are the revisions in the journals",
    mutate: (log) => ({
      commit: async (turns) => (await log.commit(turns)).map((position) => position + 1),
    }),
  },
  {
    does: "stores no chained turns",
    failsAt: "chained turns follow each other in one commit",
    mutate: (log) => ({
      commit: (turns) => log.commit(turns.filter((turn) => turn.expectedRevision !== "chained")),
    }),
  },
  {
    does: "cuts a journal after its first page",
    failsAt: "a journal of many pages is read whole and in order",
    mutate: (log) => ({
      journal: async (agent, after) => (after > 200 ? [] : log.journal(agent, after)),
    }),
  },
  {
    does: "returns the newest record first",
    failsAt: "a journal of many pages is read whole and in order",
    mutate: (log) => ({
      journal: async (agent, after) => (await log.journal(agent, after)).toReversed(),
    }),
  },
  {
    does: "begins a page one record early",
    failsAt: "a journal continues after any position",
    mutate: (log) => ({
      journal: (agent, after): Promise<readonly JournalEntry[]> => log.journal(agent, after - 1),
    }),
  },
  {
    does: "mixes journals whose keys differ in case",
    failsAt: "agents with similar names have journals of their own",
    mutate: (log) => ({
      journal: ({ type, key }, after) => log.journal({ type, key: key.toLowerCase() }, after),
    }),
  },
  {
    does: "normalises keys",
    failsAt: "odd keys come back from an input, a reader, a follower and a journal",
    mutate: (log) => ({
      accept: (draft) => {
        const { kind, name, key } = draft.address;
        return log.accept({ ...draft, address: { kind, name, key: key.normalize("NFC") } });
      },
    }),
  },
  {
    does: "cuts the last character of a key",
    failsAt: "any key has a journal of its own",
    mutate: (log) => ({
      commit: (turns) =>
        log.commit(
          turns.map((turn) => ({ ...turn, agent: account(`key-${turn.agent.key.slice(0, -1)}`) })),
        ),
    }),
  },
  {
    does: "replaces an empty payload of a dead letter",
    failsAt: "any payload of a dead letter is untouched, in a commit and buried",
    mutate: (log) => ({
      bury: (letter) =>
        log.bury(letter.payload.length === 0 ? { ...letter, payload: bytes("-") } : letter),
    }),
  },
  {
    does: "buries twice",
    failsAt: "burying the same position again changes nothing",
    mutate: (log) => {
      let graves = 0;
      return {
        bury: (letter) => log.bury({ ...letter, agent: account(`grave-${graves++}`) }),
      };
    },
  },
  {
    does: "removes a dead letter without doing so",
    failsAt: "a dead letter is removed once, and its neighbours stay",
    mutate: () => ({ removeDeadLetter: async () => true }),
  },
  {
    does: "says that it removed what is no dead letter",
    failsAt: "nothing but a dead letter is removed",
    mutate: (log) => ({
      removeDeadLetter: async (position) => (await log.input(position)) !== undefined,
    }),
  },
  {
    does: "leaves topics out of an agent's inputs",
    failsAt: "the inputs of an agent are its own and those of its topics, in log order",
    mutate: (log) => ({
      inputsOf: (agent, _topics, after, before) => log.inputsOf(agent, [], after, before),
    }),
  },
  {
    does: "includes the position after which an agent's inputs begin",
    failsAt: "the inputs of an agent begin after a position and end before one",
    mutate: (log) => ({
      inputsOf: (agent, topics, after, before) => log.inputsOf(agent, topics, after - 1, before),
    }),
  },
  {
    does: "answers a firm read of a journal from a replica that is one record behind",
    failsAt: "a firm read of a journal has every record that was acknowledged, and ends",
    mutate: (log) => ({
      journal: async (...request) => (await log.journal(...request)).slice(0, -1),
    }),
  },
  {
    does: "answers a firm read of inputs from a replica that is one behind",
    failsAt: "a firm read of an agent's inputs has every one that was acknowledged, and ends",
    mutate: (log) => ({
      inputsOf: async (...request) => (await log.inputsOf(...request)).slice(0, -1),
    }),
  },
  {
    does: "finds no input of the last moment, also when that must be firm",
    failsAt:
      "a firm read of an input finds it as soon as it was acknowledged, and nothing elsewhere",
    mutate: () => ({ input: async () => undefined }),
  },
  {
    does: "takes one id for the same message whatever its address is",
    failsAt: "the same id for another address is another message",
    mutate: (log) => {
      const known = new Map<string, Accepted>();
      return {
        accept: async (draft, options) => {
          const { id = "" } = draft.metadata;
          const earlier = known.get(id);
          if (earlier !== undefined) return { ...earlier, duplicate: true };
          const accepted = await log.accept(draft, options);
          known.set(id, accepted);
          return accepted;
        },
      };
    },
  },
  {
    does: "accepts whatever the fence says",
    failsAt: "a fenced message is stored only while its journal ends where it says (I13)",
    mutate: (log) => ({ accept: (draft) => log.accept(draft) }),
  },
  {
    does: "forgets a turn's dead letter",
    failsAt: "a turn's dead letter is stored with the turn",
    mutate: (log) => ({
      commit: (turns) => log.commit(turns.map((turn) => ({ ...turn, deadLetter: undefined }))),
    }),
  },
];

noticesMutants(mutants);

/** The turns with whatever their journals' last revisions are. */
async function onCurrentRevision(log: Log, turns: readonly TurnCommit[]): Promise<TurnCommit[]> {
  const current: TurnCommit[] = [];
  for (const turn of turns) {
    const entries = await log.journal(turn.agent, 0);
    current.push({ ...turn, expectedRevision: entries.at(-1)?.revision ?? 0 });
  }
  return current;
}

async function oneByOne(log: Log, turns: readonly TurnCommit[]): Promise<number[]> {
  const positions: number[] = [];
  for (const turn of turns) positions.push(...(await log.commit([turn])));
  return positions;
}
