/**
 * A memory broker of several shards: a server for each, and the transport of messages between them.
 *
 * An entry in an outbox is taken over by the broker itself a moment later, once and in order, also
 * while processes are away; so a simulation sees that it comes later, and not how it is done.
 */
import type { LogEntry } from "@troupe/core/log";
import { shardOfKey, shardSpan, ShardedLog } from "@troupe/core/log";
import { ShardPositions } from "@troupe/core/engine";
import type { MemoryBrokerSettings } from "./broker-options.ts";
import type { MemoryBroker, MemoryConnection, PauseOptions } from "./memory-broker.ts";
import { MemoryLog } from "./memory-log.ts";
import { replicaOf } from "./replica.ts";
import { Server } from "./server.ts";
import { foreignInput, unroutableInput, type Outbox, type StorableInput } from "./storable.ts";

export function memoryShards(settings: MemoryBrokerSettings): MemoryBroker {
  const carrier = new Carrier(settings);
  const { main, servers } = carrier;
  const positions = new ShardPositions(0, servers.length);
  const every = (act: (server: Server) => void): void => {
    for (const server of servers) act(server);
  };
  return Object.freeze<MemoryBroker>({
    connect: (name = "connection") => new ShardedConnection(carrier, name),
    entries: () =>
      servers.flatMap(({ storage }, shard) =>
        storage.entries.flatMap((entry): readonly LogEntry[] =>
          entry.kind === "input" && storage.isOutgoing(entry.input.position)
            ? []
            : [positions.logEntry(shard, entry)],
        ),
      ),
    replica: () => replicaOf(main),
    pause: ({ calls = "wait" } = {}) => every((server) => server.pause(calls)),
    resume: () => every((server) => server.resume()),
    failNextCommit: (fault) => main.failNextCommit(fault),
    dropReplies: (count) => main.dropReplies(count),
    goBack: (last) => {
      const { shard, local } = { shard: Math.floor(last / shardSpan), local: last % shardSpan };
      servers[shard]?.storage.goBack(local);
      every((server) => server.losses.tell());
    },
    makeAnew: () => {
      every(({ storage }) => storage.makeAnew());
      every((server) => server.losses.tell());
    },
    publishForeign(kind, name, token, payload) {
      const input = foreignInput({ kind, name, token }, payload, main.rules);
      const shard = carrier.shardOf(input);
      const { position } = carrier.at(shard).storage.accept(input);
      return positions.global(shard, position);
    },
    publishUnroutable: (subject = "topic.two.tokens.too.many", payload = new Uint8Array()) =>
      main.storage.accept(unroutableInput(subject, payload, main.rules)).position,
  });
}

/** The servers, and the messages on their way between them. */
class Carrier {
  readonly servers: readonly Server[];
  readonly main: Server;
  readonly #settings: MemoryBrokerSettings;
  /** Entries that each shard has not taken yet. */
  readonly #waiting: StorableInput[][];

  constructor(settings: MemoryBrokerSettings) {
    this.#settings = settings;
    const numbers = Array.from({ length: settings.shards }, (_, shard) => shard);
    this.#waiting = numbers.map(() => []);
    this.main = this.#server(0);
    this.servers = numbers.map((shard) => (shard === 0 ? this.main : this.#server(shard)));
  }

  at(shard: number): Server {
    return this.servers[shard] ?? this.main;
  }

  shardOf({ address, source }: StorableInput): number {
    return source === "unroutable" ? 0 : shardOfKey(this.#settings, address.key);
  }

  /** Lets everything arrive that waits for this shard. */
  settle(shard: number): void {
    for (const input of this.#waiting[shard]?.splice(0) ?? []) this.at(shard).storage.take(input);
  }

  #server(own: number): Server {
    return new Server(this.#settings, (input): Outbox | undefined => {
      const shard = this.shardOf(input);
      if (shard === own) return undefined;
      this.#waiting[shard]?.push(input);
      this.#settings.schedule(() => this.settle(shard));
      return `to shard ${shard}`;
    });
  }
}

/** A process's connection to all shards. */
class ShardedConnection extends ShardedLog implements MemoryConnection {
  readonly name: string;
  readonly #logs: readonly MemoryLog[];

  constructor(carrier: Carrier, name: string) {
    const logs = carrier.servers.map((server) => new MemoryLog(server, name));
    super({
      shards: logs,
      origin: 0,
      settle: async (shard) => carrier.settle(shard),
    });
    this.name = logs[0]?.name ?? name;
    this.#logs = logs;
  }

  crash(): void {
    for (const log of this.#logs) log.crash();
  }

  cutOff(options?: PauseOptions): void {
    for (const log of this.#logs) log.cutOff(options);
  }

  reconnect(): void {
    for (const log of this.#logs) log.reconnect();
  }

  suspend(): void {
    for (const log of this.#logs) log.suspend();
  }

  wake(): void {
    for (const log of this.#logs) log.wake();
  }
}
