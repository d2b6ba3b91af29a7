/** A log with some methods replaced, that can be cut off from its process as a crash does. */
import type { Log } from "../../../log/log.ts";

/** The methods that differ. `log` is the log as it is. */
export type Tamper = (log: Log) => Partial<Log>;

export interface TamperedLog {
  readonly log: Log;
  /** Nothing passes any more: calls never settle, inputs, replies and announcements are not heard. */
  cut(): void;
}

export function tamperedLog(log: Log, tamper: Tamper = () => ({})): TamperedLog {
  let isCut = false;
  const cuttable = withMethods(log, {
    ...pendingWhen(log, () => isCut),
    read: (request) =>
      log.read({
        ...request,
        onInput: (input) => {
          if (!isCut) request.onInput(input);
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
  });
  return {
    log: withMethods(cuttable, tamper(cuttable)),
    cut: () => {
      isCut = true;
    },
  };
}

/** The log with these methods instead of its own. */
export function withMethods(log: Log, methods: Partial<Log>): Log {
  return new Proxy(log, {
    get(_, name) {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(log, name, log);
      // Bound to the log itself, because a proxy has none of its private fields.
      return typeof value === "function" ? value.bind(log) : value;
    },
  });
}

/** The calls with an answer: after the cut none of them is made, and none that is under way is answered. */
function pendingWhen(log: Log, isCut: () => boolean): Partial<Log> {
  const guard = <Arguments extends readonly unknown[], Result>(
    call: (...values: Arguments) => Promise<Result>,
  ): ((...values: Arguments) => Promise<Result>) => {
    return async (...values) => {
      if (isCut()) return never();
      try {
        const result = await call(...values);
        return isCut() ? await never<Result>() : result;
      } catch (thrown) {
        return isCut() ? never() : Promise.reject(asError(thrown));
      }
    };
  };
  return {
    accept: guard((draft, options) => log.accept(draft, options)),
    commit: guard((turns) => log.commit(turns)),
    bury: guard((letter) => log.bury(letter)),
    journal: guard((agent, after, options) => log.journal(agent, after, options)),
    floors: guard(() => log.floors()),
    saveFloors: guard((floors) => log.saveFloors(floors)),
    register: guard((manifest) => log.register(manifest)),
    manifest: guard((type) => log.manifest(type)),
    manifests: guard(() => log.manifests()),
    flush: () => (isCut() ? Promise.resolve() : log.flush()),
  };
}

function never<Result>(): Promise<Result> {
  return Promise.withResolvers<Result>().promise;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
