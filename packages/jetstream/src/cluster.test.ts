/** Three replicas: members are killed while turns are committed and inputs are read. */
import { TroupeError } from "@troupe/core";
import { partitionOfToken, type Input, type Log } from "@troupe/core/log";
import { expect, test } from "vitest";

import { connectLog } from "./index.ts";
import { startNatsCluster, type NatsCluster } from "./server/index.ts";

const patience = { timeout: 60_000 };
const agent = { type: "account", key: "alice" };

/**
 * Commits turn after turn as an engine does: after anything but a yes it reads the journal again.
 */
async function commitTurns(log: Log, count: number): Promise<void> {
  let revision = 0;
  for (let done = 0; done < count;) {
    try {
      const record = Buffer.from(`${done}`);
      const address = { kind: "topic", name: "done", key: "alice" } as const;
      const outgoing = [{ address, metadata: { id: `d${done}` }, payload: record }];
      [revision = 0] = await log.commit([{ agent, expectedRevision: revision, record, outgoing }]);
      done++;
    } catch (error) {
      if (!(error instanceof TroupeError) || !error.retryable) throw error;
      const journal = await wholeJournal(log);
      revision = journal.at(-1)?.revision ?? 0;
      done = journal.length;
    }
  }
}

async function wholeJournal(log: Log): ReturnType<Log["journal"]> {
  const journal = [...(await log.journal(agent, 0))];
  for (;;) {
    const page = await log.journal(agent, journal.at(-1)?.revision ?? 0);
    if (page.length === 0) return journal;
    journal.push(...page);
  }
}

async function killInTurn(cluster: NatsCluster, isDone: () => boolean): Promise<void> {
  for (const member of [...cluster.servers, ...cluster.servers]) {
    if (isDone()) return;
    await member.kill();
    await member.restart();
  }
}

test(
  "what was committed is there, once, in order, and every reader sees it",
  { timeout: 120_000 },
  async () => {
    await using cluster = await startNatsCluster({ size: 3 });
    const servers = cluster.urls;
    const log = await connectLog({ servers, replicas: 3, readerHeartbeatMs: 500 });
    const inputs: Input[] = [];
    const source = partitionOfToken("alice", log.partitions);
    log.read({ source, after: 0, credit: 10_000, onInput: (input) => inputs.push(input) });
    let isDone = false;
    const committing = commitTurns(log, 600).finally(() => {
      isDone = true;
    });
    await Promise.all([committing, killInTurn(cluster, () => isDone)]);
    const numbers = Array.from({ length: 600 }, (_, i) => `${i}`);
    const journal = await wholeJournal(log);
    expect(journal.map(({ record }) => Buffer.from(record).toString())).toEqual(numbers);
    await expect.poll(() => inputs.length, patience).toBe(600);
    expect(inputs.map(({ payload }) => Buffer.from(payload).toString())).toEqual(numbers);
    await log.close();
  },
);

test(
  "a firm read has what was acknowledged a moment ago, whichever replica answers (LOG-8)",
  { timeout: 60_000 },
  async () => {
    await using cluster = await startNatsCluster({ size: 3 });
    const log = await connectLog({ servers: cluster.urls, replicas: 3 });
    const firm = { firm: true } as const;
    const to = { kind: "agent", name: agent.type, key: agent.key } as const;
    let [revision, last] = [0, 0];
    for (let i = 0; i < 200; i++) {
      const record = Buffer.from(String(i));
      const draft = { address: to, metadata: {}, payload: record };
      const [stored = 0] = await log.commit([
        { agent, expectedRevision: revision, record, outgoing: [] },
      ]);
      const journal = await log.journal(agent, revision, firm);
      expect(journal.map((entry) => entry.revision)).toEqual([stored]);
      const { position } = await log.accept(draft);
      const inputs = await log.inputsOf(agent, ["news"], last, position + 1, firm);
      expect(inputs.map((input) => input.position)).toEqual([position]);
      [revision, last] = [stored, position];
    }
    await log.close();
  },
);
