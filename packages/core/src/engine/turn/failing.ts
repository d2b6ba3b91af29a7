/**
 * The keys of a turn that fails for good. `onFailed` gets the message open, and its events and
 * messages are sealed, also where the handler never ran: its asker gave up, its process died, or a
 * parked message is given up. It runs at once, so missing keys are read first, and then it runs
 * again: its earlier work was only a draft.
 */
import { PersonalDataErasedError } from "../../errors/personal-errors.ts";
import { errorData } from "../../errors/troupe-error.ts";
import { agentName } from "../../definition/message/address.ts";
import type { OpenTurn } from "./open-turn.ts";
import { ignore, promiseOf } from "../../wire/thenable.ts";

/**
 * Do what is to be done about a failure. Returns a promise when keys have to be read first: it
 * resolves when they were, or when it is time to look again. The message then fails at once.
 */
export function keysFor(
  turn: OpenTurn,
  thrown: unknown,
  react: () => void,
): Promise<void> | undefined {
  let later = openingOf(turn);
  if (later === undefined) {
    react();
    later = turn.sealsIfAny?.ready();
  }
  if (later === undefined) return undefined;
  turn.delivery.forced = thrown ?? new Error("nothing was thrown");
  return patiently(turn, later);
}

/** The message is still to be opened. */
function openingOf(turn: OpenTurn): Promise<unknown> | undefined {
  try {
    const { valid } = turn.decoded();
    if (turn.sealsIfAny?.isOpen === false) return promiseOf(valid);
    ignore(valid);
    return undefined;
  } catch {
    // It cannot be read, or was erased.
    return undefined;
  }
}

async function patiently({ agent, host }: OpenTurn, keys: Promise<unknown>): Promise<void> {
  try {
    await keys;
  } catch (thrown) {
    if (thrown instanceof PersonalDataErasedError) return;
    const what = `keys for a failure of ${agentName(agent)}`;
    host.feed.emit({ kind: "fault", what, failure: errorData(thrown) });
    await new Promise<void>((resolve) => void host.clock.after(pauseMs, resolve));
  }
}

const pauseMs = 1000;
