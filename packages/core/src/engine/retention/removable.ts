/** Behind which base record an agent's history may go, by the rule of its type. */
import type { AgentHistory } from "../history/agent-history.ts";
import type { KnownBase } from "../../journal/known-base.ts";
import type { RetentionOptions } from "../../definition/retention-rule.ts";

/**
 * The furthest base record that the rule allows; undefined when nothing may go.
 *
 * @param nowMs by the log's clock
 * @param settleMs so old a base record is before anything goes behind it
 */
export function removableBase(
  history: Pick<AgentHistory, "bases" | "runtime"> & {
    readonly current: Pick<AgentHistory["current"], "turns">;
  },
  nowMs: number,
  settleMs: number,
): KnownBase | undefined {
  const { bases, current, runtime } = history;
  const rule = runtime.definition.keeps;
  if (rule === undefined || bases.length === 0) return undefined;
  const ends = bases.findLast(({ ended }) => ended)?.revision ?? 0;
  return bases.findLast((base) => {
    // A state that another fold made is no reason to let its events go.
    if (base.foldVersion !== runtime.foldVersion && !base.ended) return false;
    if (nowMs - base.storedAtMs < settleMs) return false;
    if (rule.after === "ended" && base.revision > ends) return false;
    return isBeyond(rule, base, current.turns - base.turns, nowMs);
  });
}

/** Whether the records before a base record are beyond a limit. */
function isBeyond(
  { after, ageMs, turns }: RetentionOptions,
  { coveredAtMs }: Pick<KnownBase, "coveredAtMs">,
  turnsSince: number,
  nowMs: number,
): boolean {
  if (turns !== undefined && turnsSince >= turns) return true;
  if (ageMs !== undefined && nowMs - coveredAtMs >= ageMs) return true;
  return after === "ended" && turns === undefined && ageMs === undefined;
}
