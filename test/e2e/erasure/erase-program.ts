/** A process that hosts customers and erases one of them, and can be killed in the middle. */
import { createTroupe } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import { directoryStore } from "@troupe/core/archive";
import { connectLog } from "@troupe/jetstream";

import { overlay } from "@troupe/testing";
import { customer } from "./customer.ts";
import type { EraseProgramSettings } from "./erase-program-settings.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as EraseProgramSettings;
const { archive, key, namespace, says, standsBefore, url } = settings;
const tell = (kind: string, more: object = {}): void => void process.send?.({ kind, ...more });

const log = await connectLog({ servers: url, namespace, name: "eraser" });
const destroy: Log["destroy"] = async (part, upTo, options) => {
  // What waits goes before the tombstone is there, and once more with the rest.
  const isRest = upTo !== Infinity;
  if (isRest && part.kind === standsBefore) {
    tell("stands");
    await Promise.withResolvers<never>().promise;
  }
  if (isRest && part.kind === says) tell("begins");
  return log.destroy(part, upTo, options);
};
const troupe = createTroupe(overlay(log, { destroy }), {
  archive: directoryStore(archive),
  onFault: false,
});
await troupe.work(customer, { retry: { attemptsMax: 1 } });

process.once("disconnect", () => process.exit(0));
tell("ready");
const erasure = await troupe.erase(customer, key, { by: "the desk" });
tell("erased", { erasure });
await troupe.close();
process.disconnect();
