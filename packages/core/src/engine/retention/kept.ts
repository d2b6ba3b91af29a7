/** Work after each commit about what is kept: snapshots, base records, and records that may go. */
import type { AgentHistory } from "../history/agent-history.ts";
import type { MailboxHost } from "../mailbox/mailbox-host.ts";
import type { SnapshotSaver } from "../history/snapshot-saver.ts";
import type { BaseWriter } from "./base-writer.ts";
import type { Collector } from "./collector.ts";

interface Retaining {
  readonly bases: Pick<BaseWriter, "consider">;
  readonly collector: Pick<Collector, "consider">;
}

/** @param retaining of a worker some of whose types declare a retention */
export function keptAfterCommits(
  snapshots: Pick<SnapshotSaver, "consider" | "erased">,
  retaining: Retaining | undefined,
): MailboxHost["kept"] {
  return {
    erased: (agent) => snapshots.erased(agent),
    after: ({ bytes, end }, history: AgentHistory, line) => {
      snapshots.consider(history, history.agent, end ?? bytes);
      if (retaining === undefined || history.runtime.definition.keeps === undefined) return;
      retaining.bases.consider(history, line);
      retaining.collector.consider(history);
    },
  };
}
