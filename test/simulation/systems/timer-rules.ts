/**
 * Rules of what a log must show of the timers of an agent (LOG-6), from its journal and the inputs
 * alone.
 */
import assert from "node:assert/strict";

import type { Input } from "@troupe/core/log";
import type { History } from "@troupe/testing";

/** A timer from the commit that set it to the one that replaced or cancelled it. */
interface Arming {
  readonly id: string;
  /** The message whose turn set it: what it sends has this as its cause. */
  readonly cause: string;
  readonly setAtMs: number;
  readonly revision: number;
  readonly atMs: number | undefined;
  readonly everyMs: number | undefined;
  /** Time and position of the record that ended it. */
  endAtMs: number;
  endPosition: number;
}

/** Virtual clocks show whole milliseconds of a time that has fractions. */
const toleranceMs = 1;

/**
 * @throws AssertionError when a firing is missing, too many, too early, or after its timer's end
 */
export function checkTimers(
  history: History,
  planner: { readonly type: string },
  key: string,
): void {
  const name = `${planner.type}/${key}`;
  const firings = Map.groupBy(firingsOf(history, name), ({ metadata }) =>
    armingName(metadata.causationId, metadata.timer),
  );
  for (const arming of armingsOf(history, planner, key)) {
    const cause = armingName(arming.cause, arming.id);
    checkFirings(arming, firings.get(cause) ?? [], `${name}, timer ${cause}`);
    firings.delete(cause);
  }
  assert.deepEqual([...firings.keys()], [], `${name}: what fired was set by a turn`);
  for (const firing of firingsOf(history, name)) checkTurn(history, firing);
}

function armingsOf(history: History, agent: { readonly type: string }, key: string): Arming[] {
  const armings: Arming[] = [];
  const open = new Map<string, Arming>();
  for (const { committedAtMs, record, revision } of history.turns(agent, key)) {
    // Of several changes of one id in a turn the last one counts.
    const changes = new Map((record.timers ?? []).map((timer) => [timer.id, timer]));
    for (const [id, { atMs, everyMs }] of changes) {
      const before = open.get(id);
      if (before !== undefined) {
        before.endAtMs = committedAtMs;
        before.endPosition = revision;
      }
      open.delete(id);
      if (atMs === undefined && everyMs === undefined) continue;
      const arming: Arming = {
        id,
        cause: record.messageId,
        setAtMs: committedAtMs,
        revision,
        atMs,
        everyMs,
        endAtMs: Infinity,
        endPosition: Infinity,
      };
      open.set(id, arming);
      armings.push(arming);
    }
  }
  return armings;
}

function checkFirings(arming: Arming, firings: readonly Input[], name: string): void {
  const { atMs, endAtMs, endPosition, everyMs, revision, setAtMs } = arming;
  for (const { position } of firings) {
    assert.ok(position > revision, `${name} fired before it was set`);
    assert.ok(position < endPosition, `${name} fired after it was cancelled or replaced`);
  }
  if (everyMs !== undefined) return checkBeats(arming, firings, name);
  assert.ok(atMs !== undefined);
  const dueMs = Math.max(atMs, setAtMs);
  assert.ok(firings.length <= 1, `${name} fired ${firings.length} times`);
  const [firing] = firings;
  if (firing === undefined) {
    assert.ok(endAtMs <= dueMs + toleranceMs, `${name} was due at ${dueMs} and did not fire`);
    return;
  }
  assert.ok(firing.acceptedAtMs >= dueMs, `${name} fired too early`);
  assert.ok(firing.acceptedAtMs <= dueMs + toleranceMs, `${name} fired too late`);
}

/** A beat at every full interval from its commit to its end, none twice. */
function checkBeats(arming: Arming, firings: readonly Input[], name: string): void {
  const { endAtMs, everyMs = 1000, setAtMs } = arming;
  const ids = new Set(firings.map(({ metadata }) => metadata.id));
  assert.equal(ids.size, firings.length, `${name} sent one beat twice`);
  for (const [index, { acceptedAtMs }] of firings.entries()) {
    const lateMs = acceptedAtMs - (setAtMs + (index + 1) * everyMs);
    assert.ok(lateMs >= 0 && lateMs <= toleranceMs, `${name}: beat ${index} is ${lateMs} ms late`);
  }
  assert.ok(endAtMs < Infinity, `${name} was cancelled in the end`);
  const nextMs = setAtMs + (firings.length + 1) * everyMs;
  assert.ok(endAtMs <= nextMs + toleranceMs, `${name} stopped before it was cancelled`);
}

/** A firing is an ordinary message: one turn of whom it is for. */
function checkTurn(history: History, { address, position }: Input): void {
  const turns = history.turns({ type: address.name }, address.key);
  const own = turns.filter(({ record }) => record.inputPosition === position);
  assert.equal(own.length, 1, `the firing at ${position} is one turn of ${address.name}`);
}

function firingsOf(history: History, sender: string): Input[] {
  return [...history.inputs.values()].filter(
    ({ metadata }) => metadata.timer !== undefined && metadata.sender === sender,
  );
}

function armingName(cause: string | undefined, id: string | undefined): string {
  return `${id} of ${cause}`;
}
