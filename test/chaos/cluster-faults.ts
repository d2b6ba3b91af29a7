/**
 * Faults of a cluster: its stream's leader is killed, or a node loses its store and rejoins.
 *
 * Three replicas bear one fault at a time, so every fault begins and ends with all replicas up to
 * date. What a wiped node held is then only on the other two, and nothing may be missing.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { jetstreamManager, type JetStreamManager, type StreamInfo } from "@nats-io/jetstream";
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import type { NatsCluster, NatsServer } from "@troupe/jetstream/server";

import { between, oneOf, type Random } from "./seeded-random.ts";

export class ClusterFaults implements AsyncDisposable {
  brokerKills = 0;
  leaderKills = 0;
  nodesWiped = 0;
  /** Also leaders that had to go without dying. */
  brokerPauses = 0;
  readonly #cluster: NatsCluster;
  readonly #streams: readonly string[];
  readonly #client: NatsConnection;
  readonly #manager: JetStreamManager;
  #last: Promise<void> = Promise.resolve();

  private constructor(
    cluster: NatsCluster,
    streams: readonly string[],
    client: NatsConnection,
    manager: JetStreamManager,
  ) {
    this.#cluster = cluster;
    this.#streams = streams;
    this.#client = client;
    this.#manager = manager;
  }

  /** @param streams the first one's leader is the one to kill */
  static async start(cluster: NatsCluster, streams: readonly string[]): Promise<ClusterFaults> {
    const client = await dial({
      servers: [...cluster.urls],
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
    });
    const manager = await jetstreamManager(client, { checkAPI: false, timeout: 2000 });
    return new ClusterFaults(cluster, streams, client, manager);
  }

  /** SIGKILL for the leader of the stream; it comes back after a while. */
  killLeader(random: Random): Promise<void> {
    return this.#inTurn(async () => {
      const leader = await this.#leader();
      await leader.kill();
      this.brokerKills += 1;
      this.leaderKills += 1;
      await sleep(between(random, 500, 4000));
      await leader.restart();
    });
  }

  /** SIGKILL for any node, and its store is gone when it comes back. */
  wipe(random: Random): Promise<void> {
    return this.#inTurn(async () => {
      const node = oneOf(random, this.#cluster.servers);
      if (node === undefined) return;
      await node.kill();
      this.brokerKills += 1;
      await emptied(node.storeDir);
      this.nodesWiped += 1;
      await sleep(between(random, 0, 2000));
      await node.restart();
    });
  }

  /** The leader has to go, and another node leads: reads may be answered by who is behind. */
  depose(): Promise<void> {
    return this.#inTurn(async () => {
      const [stream = ""] = this.#streams;
      const subject = `$JS.API.STREAM.LEADER.STEPDOWN.${stream}`;
      await this.#client.request(subject, "", { timeout: 2000 }).catch(() => undefined);
      this.brokerPauses += 1;
    });
  }

  /** SIGSTOP for any node; when it goes on, it is behind for a while. */
  pause(random: Random): Promise<void> {
    return this.#inTurn(async () => {
      const node = oneOf(random, this.#cluster.servers);
      if (node === undefined) return;
      process.kill(node.pid, "SIGSTOP");
      this.brokerPauses += 1;
      try {
        await sleep(between(random, 500, 4000));
      } finally {
        process.kill(node.pid, "SIGCONT");
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  #inTurn(fault: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(async () => {
      await this.#untilCurrent();
      await fault();
      await this.#untilCurrent();
    });
    return this.#last;
  }

  /** Members are called `troupe-1`, `troupe-2`, … in this order. */
  async #leader(): Promise<NatsServer> {
    for (;;) {
      const { cluster } = await this.#manager.streams.info(this.#streams[0] ?? "");
      const number = Number(/-(\d+)$/.exec(cluster?.leader ?? "")?.[1] ?? 0);
      const server = this.#cluster.servers[number - 1];
      if (server !== undefined) return server;
      await sleep(pollMs);
    }
  }

  async #untilCurrent(): Promise<void> {
    const deadline = performance.now() + currentTimeoutMs;
    for (;;) {
      const infos = this.#streams.map((stream) => this.#manager.streams.info(stream));
      const states = await Promise.all(infos).catch(() => []);
      if (states.length > 0 && states.every((state) => isCurrent(state))) return;
      if (performance.now() > deadline) {
        const text = JSON.stringify(states.map(({ cluster }) => cluster));
        throw new Error(`The replicas are not up to date after ${currentTimeoutMs} ms: ${text}`);
      }
      await sleep(pollMs);
    }
  }
}

function isCurrent({ cluster, config }: StreamInfo): boolean {
  const replicas = cluster?.replicas ?? [];
  return (
    Boolean(cluster?.leader) &&
    replicas.length === config.num_replicas - 1 &&
    replicas.every(({ current, offline }) => current && !offline)
  );
}

/** The folder stays, and so does the file that says who works on it. */
async function emptied(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith("troupe-server."));
  await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

const pollMs = 100;
const currentTimeoutMs = 60_000;
