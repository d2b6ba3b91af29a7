/** A log with some methods replaced, that can be cut off from its process as a crash does. */
import type { Log } from "@troupe/core/log";
import { overlay } from "@troupe/testing";

/** The methods that differ. `log` is the log as it is. */
export type Tamper = (log: Log) => Partial<Log>;

export interface TamperedLog {
  readonly log: Log;
  /** Cuts the connection: calls never settle, inputs, replies and announcements are not heard. */
  cut(): void;
}

export function tamperedLog(log: Log, tamper: Tamper = () => ({})): TamperedLog {
  let isCut = false;
  const cuttable = overlay(
    unanswering(log, () => isCut),
    {
      flush: () => (isCut ? Promise.resolve() : log.flush()),
      close: () => log.close(),
      read: (request) =>
        log.read({
          ...request,
          onInput: (input) => {
            if (!isCut) request.onInput(input);
          },
          onPassed: (position) => {
            if (!isCut) request.onPassed?.(position);
          },
        }),
      announce: (presence) => {
        if (!isCut) log.announce(presence);
      },
      reply: (replyTo, payload) => {
        if (!isCut) log.reply(replyTo, payload);
      },
      onPresence: (listener) =>
        log.onPresence((presence) => {
          if (!isCut) listener(presence);
        }),
      onReply: (listener) =>
        log.onReply((replyTo, payload) => {
          if (!isCut) listener(replyTo, payload);
        }),
    },
  );
  return {
    log: overlay(cuttable, tamper(cuttable)),
    cut: () => {
      isCut = true;
    },
  };
}

/**
 * A log on which, after the cut, no call is made any more, and none that is under way is answered.
 */
function unanswering(log: Log, isCut: () => boolean): Log {
  return new Proxy(log, {
    get(_, name) {
      const value: unknown = Reflect.get(log, name, log);
      if (typeof value !== "function") return value;
      return (...values: readonly unknown[]): unknown => {
        if (isCut()) return never();
        const result: unknown = Reflect.apply(value, log, values);
        return result instanceof Promise ? answered(result, isCut) : result;
      };
    },
  });
}

async function answered(call: Promise<unknown>, isCut: () => boolean): Promise<unknown> {
  try {
    const result: unknown = await call;
    return isCut() ? await never() : result;
  } catch (thrown) {
    if (isCut()) return never();
    throw thrown;
  }
}

function never(): Promise<never> {
  return Promise.withResolvers<never>().promise;
}
