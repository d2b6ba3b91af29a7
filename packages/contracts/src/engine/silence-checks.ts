/** An ask that nobody answers says why. */
import assert from "node:assert/strict";

import { AskDeadlineError } from "@troupe/core/errors";
import type { LogCheck } from "../log-harness.ts";
import { ledger } from "./ledger.ts";
import { Stage } from "./stage.ts";

// Long enough to hear the workers before, also on a busy machine.
const timeoutMs = 6000;
const never = (): Promise<void> => Promise.withResolvers<void>().promise;

export const silenceChecks: readonly LogCheck[] = [
  {
    name: "an ask says that no worker hosts the agent now",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger();
      const host = await stage.host(book);
      await host.worker.stop();
      const client = await stage.client();
      const asked = client.agent(book, "alice", { timeoutMs }).note({ text: "1" });
      await tells(asked, "no-worker", /no worker hosts ledger now/);
    },
  },
  {
    name: "an ask says that the agent's journal cannot be read, and what is wrong with it",
    async run(harness) {
      await using stage = new Stage(harness);
      const log = await stage.log();
      const agent = { type: "ledger", key: "alice" };
      const record = new TextEncoder().encode("no record");
      await log.commit([{ agent, expectedRevision: 0, record, outgoing: [] }]);
      const host = await stage.host(ledger());
      const asked = host.troupe.agent(ledger(), "alice", { timeoutMs }).note({ text: "1" });
      await tells(asked, "unreadable", /its journal cannot be read \(/);
    },
  },
  {
    name: "an ask says that it waits behind a handler, and that its own handler runs",
    async run(harness) {
      await using stage = new Stage(harness);
      const slow = ledger(async (context, { text }) => {
        await context.step("begin", async () => text);
        await never();
      });
      const host = await stage.host(slow);
      const ask = (text: string): Promise<unknown> =>
        host.troupe.agent(slow, "alice", { timeoutMs }).note({ text });
      const running = tells(ask("1"), "running", /its handler runs on /);
      await host.heard.has("turn.started");
      const waiting = tells(ask("2"), "waiting", /its handler on .* still runs, or waits behind/);
      await Promise.all([running, waiting]);
      await host.worker.stop({ drainTimeoutMs: 0 });
    },
  },
];

async function tells(asked: Promise<unknown>, why: string, text: RegExp): Promise<void> {
  const error: unknown = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof AskDeadlineError, String(error));
  // A worker may tell first that nothing is kept, which says less.
  if (error.details["kept"] === false) return;
  assert.equal(error.details["why"], why);
  assert.match(error.message, text);
}
