import { createTroupe } from "@troupe/core";
import { openStage } from "./stage.ts";
import { quantiles, latenciesMs } from "./latency.ts";
import { account, deposit } from "./ledger.ts";
const inFlight = Number(process.argv[2] ?? 256),
  keys = Number(process.argv[3] ?? 100),
  count = Number(process.argv[4] ?? 40000);
await using stage = await openStage();
const { log, namespace } = await stage.freshLog();
await using worker = createTroupe(log);
await worker.work(account, { timings: { joinDelayMs: 0 }, ...JSON.parse(process.env.OPT ?? "{}") });
await using client = createTroupe(await stage.reopen(namespace));
const asker = process.argv[5] === "within" ? worker : client;
let n = 0;
const call = () => asker.agent(account, `key-${n++ % keys}`).deposit(deposit);
await latenciesMs({ count: 5000, inFlight, call });
const cpu0 = process.cpuUsage(),
  b0 = stage.brokerCpuSeconds(),
  t0 = performance.now();
const q = quantiles(await latenciesMs({ count, inFlight, call }));
const ms = performance.now() - t0,
  cpu = process.cpuUsage(cpu0),
  b = stage.brokerCpuSeconds() - b0;
console.log(
  JSON.stringify({
    inFlight,
    keys,
    p50: +q.p50.toFixed(2),
    p99: +q.p99.toFixed(2),
    perSec: Math.round((count / ms) * 1000),
    procUs: +((cpu.user + cpu.system) / count).toFixed(1),
    brokerUs: +((b * 1e6) / count).toFixed(1),
  }),
);
process.exit(0);
