/**
 * The log of a program that tries again by itself: looking up an agent type fails only when the log
 * is gone for good. Accepting is patient in any case.
 */
import type { Clock, Log } from "@troupe/core/log";
import { LogUnavailableError } from "@troupe/core/errors";
import { overlay } from "./overlay.ts";

const retryMs = 50;

export function patientLog(log: Log, clock: Clock): Log {
  const patiently = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    for (;;) {
      try {
        return await call();
      } catch (thrown) {
        if (!(thrown instanceof LogUnavailableError)) throw thrown;
      }
      await new Promise<void>((resolve) => clock.after(retryMs, resolve));
    }
  };
  return overlay(log, {
    manifest: (type) => patiently(() => log.manifest(type)),
    manifests: () => patiently(() => log.manifests()),
    register: (manifest) => patiently(() => log.register(manifest)),
  });
}
