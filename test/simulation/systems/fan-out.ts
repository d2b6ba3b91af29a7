/**
 * A topic with three subscribing types, one of which publishes again on a second topic. Every
 * subscriber sees every publication of its source once, in the order of the log; bare JSON of
 * foreign clients counts like any other.
 */
import assert from "node:assert/strict";

import { agent, topic } from "@troupe/core";
import type { Agent } from "@troupe/core";
import type { History, System } from "@troupe/testing";
import { z } from "zod";

const reading = z.object({ value: z.number() });
const readings = topic("readings", reading);
const alarms = topic("alarms", reading);

interface Seen {
  readonly values: readonly number[];
}

const none: Seen = { values: [] };

export const recorder = agent("recorder")
  .state(none)
  .event("seen", reading, ({ values }, { value }) => ({ values: [...values, value] }))
  .subscribe(readings, (ctx, event) => ctx.emit.seen(event));

export const watchman = agent("watchman")
  .state(none)
  .event("seen", reading, ({ values }, { value }) => ({ values: [...values, value] }))
  .subscribe(readings, (ctx, event) => {
    ctx.emit.seen(event);
    if (event.value >= 50) ctx.publish(alarms, ctx.agent.key, event);
  });

export const siren = agent("siren")
  .state(none)
  .event("seen", reading, ({ values }, { value }) => ({ values: [...values, value] }))
  .subscribe(alarms, (ctx, event) => ctx.emit.seen(event))
  .subscribe(readings, () => undefined);

export const fanOut: System = {
  name: "fan-out",
  agents: [recorder, watchman, siren],
  workers: 3,
  drive: async (client, stage) => {
    await stage.times(12, async (index, chance) => {
      const value = chance.between(0, 99);
      const source = chance.pick(["north", "south", "east"]);
      if (index % 4 > 0) return client.publish(readings, source, { value });
      const json = new TextEncoder().encode(JSON.stringify({ value }));
      return stage.broker.publishForeign("topic", "readings", source, json);
    });
  },
  check: (history) => {
    for (const source of ["north", "south", "east"]) {
      const values = published(history, "readings", source);
      assert.deepEqual(seenBy(history, recorder, source), values, `recorder/${source}`);
      assert.deepEqual(seenBy(history, watchman, source), values, `watchman/${source}`);
      const loud = values.filter((value) => value >= 50);
      assert.deepEqual(seenBy(history, siren, source), loud, `siren/${source}`);
    }
  },
};

function seenBy<Events, Messages>(
  history: History,
  subscriber: Agent<Seen, Events, Messages>,
  key: string,
): readonly number[] {
  return history.state(subscriber, key).values;
}

/** Publications on the topic, in log order. */
function published(history: History, name: string, key: string): readonly number[] {
  return [...history.inputs.values()]
    .filter(({ address }) => address.name === name && address.key === key)
    .map((input) => (history.payload(input) as z.infer<typeof reading>).value);
}
