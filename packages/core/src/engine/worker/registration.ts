/**
 * Saying what a type handles, before anything of it is read.
 *
 * A type that nobody hosted before begins where its author says (`from`): with everything on the
 * log, or with what comes from now on. A subscription that is added to a type that exists counts
 * from a position that is said only after every worker of older code has heard of it (KNOW-3 in
 * knowledge.ts). It cannot begin at the beginning: an agent handles its inputs in log order, once.
 */
import type { AgentDefinition } from "../../definition/agent-definition.ts";
import type { Clock } from "../../clock/clock.ts";
import { DefinitionError } from "../../errors/definition-errors.ts";
import type { Log } from "../../log/log.ts";
import type { Manifest, SubscriptionBeginning } from "../../log/manifest.ts";
import { manifestOf } from "../runtime/agent-runtime.ts";

export interface RegistrationHost {
  readonly log: Log;
  readonly clock: Clock;
  readonly version: string;
  /** Longer than what older code knows may be old, in milliseconds. */
  readonly settleMs: number;
  /** Fires when the worker stops: waiting here would keep its process. */
  readonly signal: AbortSignal;
}

/**
 * @returns what the manifest says then. @throws DefinitionError, LogUnavailableError, StoppedError
 */
export async function registerType(
  host: RegistrationHost,
  definition: AgentDefinition,
): Promise<Manifest> {
  const { log, version } = host;
  const own = manifestOf(definition, version);
  const known = await log.manifest(own.type, { firm: true });
  if (known === undefined) {
    return log.register({ ...own, since: await firstBeginnings(host, definition) });
  }
  requireNoPast(definition, known);
  const grown = await log.register(own);
  const added = own.topics.filter((topic) => grown.since?.[topic] === undefined);
  if (added.length === 0) return grown;
  await settled(host);
  const now = await endOf(host);
  return log.register({ ...own, since: Object.fromEntries(added.map((topic) => [topic, now])) });
}

/** Rejects with the signal's reason when the worker stops. */
function settled({ clock, settleMs, signal }: RegistrationHost): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      cancel();
      reject(signal.reason as Error);
    };
    const cancel = clock.after(settleMs, () => {
      signal.removeEventListener("abort", end);
      resolve();
    });
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}

async function firstBeginnings(
  host: RegistrationHost,
  { subscriptions }: AgentDefinition,
): Promise<Readonly<Record<string, SubscriptionBeginning>>> {
  const wantsNow = Object.values(subscriptions).some(({ from }) => from === "now");
  const now = wantsNow ? await endOf(host) : beginning;
  const since = Object.entries(subscriptions).map(
    ([topic, { from }]) => [topic, from === "now" ? now : beginning] as const,
  );
  return Object.fromEntries(since);
}

const beginning: SubscriptionBeginning = Object.freeze({ position: 0, atMs: 0 });

async function endOf({ clock, log }: RegistrationHost): Promise<SubscriptionBeginning> {
  const { ends = [], last } = await log.end();
  if (last === 0) return beginning;
  const lasts = await Promise.all((ends.length === 0 ? [last] : ends).map((end) => log.at(end)));
  const times = lasts.map((stored) => stored?.storedAtMs ?? clock.now());
  const shards = ends.length === 0 ? {} : { ends };
  return { position: last, atMs: Math.max(...times), ...shards };
}

function requireNoPast({ subscriptions, type }: AgentDefinition, known: Manifest): void {
  for (const [topic, { from }] of Object.entries(subscriptions)) {
    if (from !== "beginning" || known.topics.includes(topic)) continue;
    throw new DefinitionError(
      `The subscription of ${type} to ${topic} is new and cannot begin at the beginning: the agents of ${type} have handled later inputs already, and each handles its inputs in log order. ` +
        `Leave out \`from\`, or say \`from: "now"\`; to handle the past, declare another agent type.`,
      { details: { type, topic } },
    );
  }
}
