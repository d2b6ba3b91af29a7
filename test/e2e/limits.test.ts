/** Limits hold over real processes that are killed, and over a broker that restarts. */
import type { LimitOptions, Troupe } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { callerOf, startCaller, type CallerSettings } from "./limits/caller.ts";
import { ModelService } from "./limits/model-service.ts";

vi.setConfig({ testTimeout: 90_000 });

let nats: NatsServer;
beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats?.stop());

test("no more calls than the limit are at work, whoever is killed, and permits of the dead come back", async () => {
  await using service = await ModelService.start();
  const settings = settingsOf("killed", service, { concurrency: 6 });
  await using troupe = await connect(nats.url, { namespace: settings.namespace });
  service.isHolding = true;
  await using first = await startCaller(settings);
  await using second = await startCaller(settings);
  await using third = await startCaller(settings);
  const answers = callMany(troupe, settings, 120);
  await service.has(6, [first.pid, second.pid, third.pid]);
  await first.kill();
  await service.has(6, [second.pid, third.pid]);
  await second.kill();
  await service.has(6, [third.pid]);
  await nats.restart();
  await using fourth = await startCaller(settings);
  service.release();
  expect(new Set(await answers)).toEqual(new Set(["answered"]));
  expect(service.openMax).toBe(6);
  await Promise.all([third.stop(), fourth.stop()]);
});

test("a rate holds in every window, over several processes", async () => {
  await using service = await ModelService.start();
  const rate = { count: 40, perMs: 3000 };
  const settings = settingsOf("rated", service, { rate });
  await using troupe = await connect(nats.url, { namespace: settings.namespace });
  await using first = await startCaller(settings);
  await using second = await startCaller(settings);
  await callMany(troupe, settings, 100);
  expect(service.calls).toHaveLength(100);
  // Calls are counted as they arrive, so they may be on their way for up to half a second here.
  expect(service.most(rate.perMs - 500)).toBeLessThanOrEqual(rate.count);
  await Promise.all([first.stop(), second.stop()]);
});

test("the check above can fail: without a limit all calls come at once", async () => {
  await using service = await ModelService.start();
  const settings = settingsOf("unlimited", service, { concurrency: 1000 });
  await using troupe = await connect(nats.url, { namespace: settings.namespace });
  await using worker = await startCaller(settings);
  await callMany(troupe, settings, 100);
  expect(service.most(2500)).toBeGreaterThan(40);
  await worker.stop();
});

function settingsOf(name: string, { port }: ModelService, limit: LimitOptions): CallerSettings {
  return { nats: nats.url, namespace: `limits_${name}`, port, limit, limitLeaseMs: 1500 };
}

/** Ask so many agents; resolves with their answers. */
function callMany(troupe: Troupe, settings: CallerSettings, count: number): Promise<string[]> {
  const caller = callerOf(settings);
  return Promise.all(
    Array.from({ length: count }, (_, i) => {
      return troupe.agent(caller, `key-${i}`, { timeoutMs: 80_000 }).call({});
    }),
  );
}
