/**
 * Parts of a worker for its mailboxes, by agent type: those that all share, and those of one type.
 */
import { BatchGatherer } from "../turn/batch-gatherer.ts";
import type { MailboxHost } from "../mailbox/mailbox-host.ts";
import { permitsByType } from "../runtime/permits-by-type.ts";
import { AddressedInputs } from "../runtime/addressed-inputs.ts";
import type { AgentRuntime } from "../runtime/agent-runtime.ts";
import type { Knowledge } from "../runtime/knowledge.ts";
import type { WorkerSettings } from "./worker-options.ts";

/** The part that is the same for all types. */
export type SharedHost = Omit<MailboxHost, "addressed" | "batches" | "permits">;

export function mailboxHosts(
  shared: SharedHost,
  settings: WorkerSettings,
  runtimes: ReadonlyMap<string, AgentRuntime>,
  knowledge: Knowledge,
): ReadonlyMap<string, MailboxHost> {
  const { log } = shared;
  const permitsOf = permitsByType(settings, [...runtimes.keys()]);
  const hosts = [...runtimes].map(([type, runtime]): [string, MailboxHost] => {
    const permits = permitsOf(type);
    const batches = new BatchGatherer({ ...shared, permits });
    const addressed = new AddressedInputs({ log, knowledge, runtime });
    return [type, { ...shared, permits, batches, addressed }];
  });
  return new Map(hosts);
}
