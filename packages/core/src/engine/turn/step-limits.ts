/**
 * A step under limits: it waits for them before its effect, and gives back when the effect is over.
 *
 * A permit is held until the effect's promise settles, also when the turn was given up before: the
 * call is still out there, and the provider of the quota counts it. So an effect should end when
 * its signal fires.
 */
import type { LimitPermit } from "../limit/limiter.ts";
import { limitsOf } from "../../definition/limit.ts";
import type { StepOptions } from "../../definition/context.ts";
import type { OpenTurn } from "./open-turn.ts";

/**
 * Resolves when the step may begin. @throws InvalidLimitError, LimitMismatchError, TurnEndedError,
 * or what the signal says
 */
export async function waitForLimits(
  turn: OpenTurn,
  step: string,
  { cost = 1, limit = [] }: StepOptions,
  ownSignal: AbortSignal,
): Promise<LimitPermit> {
  const { clock, feed, limiter } = turn.host;
  const uses = limitsOf(limit, cost);
  const taken = limiter.tryTake(uses);
  if (taken !== undefined) return taken;
  const startedAtMs = clock.monotonicMs();
  const waitedMs = (): number => Math.round(clock.monotonicMs() - startedAtMs);
  const wait = {
    agent: turn.agent,
    inputPosition: turn.delivery.input.position,
    step,
    limits: uses.map((use) => use.limit.name),
    sinceMs: clock.now(),
    traceparent: turn.traceparent,
  };
  if (feed.active) feed.emit({ kind: "limit.waiting", ...wait });
  // In a batch that goes on, a turn that was given up is over as well, without effect on the
  // others.
  const isOver = (): boolean => turn.ended && !turn.muted;
  const signal = turn.slot?.call.signal ?? ownSignal;
  try {
    const permit = await turn.permit.whileWaiting(() => limiter.wait(uses, { isOver, signal }));
    if (isOver()) permit.release();
    turn.requireOpen();
    if (feed.active) {
      feed.emit({ kind: "limit.granted", ...wait, waitedMs: waitedMs() });
    }
    return permit;
  } catch (thrown) {
    if (feed.active) {
      feed.emit({ kind: "limit.abandoned", ...wait, waitedMs: waitedMs() });
    }
    throw thrown;
  }
}

/** Result of the effect; the permit is given back when that settles. */
export async function holding(permit: LimitPermit, effect: () => unknown): Promise<unknown> {
  try {
    return await effect();
  } finally {
    permit.release();
  }
}
