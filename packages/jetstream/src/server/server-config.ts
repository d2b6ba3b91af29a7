/** Writes the configuration of a local nats-server. */

/** A member of a local cluster. */
export type ServerClusterOptions = {
  /** The cluster's name, the same on every member. */
  readonly name: string;
  /** The port for routes. @default a free one */
  readonly port?: number;
  /** The routes to the members, such as "nats://127.0.0.1:6222". @default none */
  readonly routes?: readonly string[];
};

/** Settings of a configuration file. */
export type ServerConfig = {
  readonly serverName: string;
  readonly host: string;
  readonly port: number;
  readonly storeDir: string;
  readonly portsFolder: string;
  readonly maxPayloadBytes: number;
  readonly syncInterval: string | undefined;
  readonly cluster: (ServerClusterOptions & { readonly port: number }) | undefined;
  readonly extraConfig: readonly string[];
};

/** The text of the file. Monitoring listens on a free loopback port that the server picks. */
export function renderServerConfig(config: ServerConfig): string {
  return [
    `server_name: ${quoted(config.serverName)}`,
    `listen: ${quoted(address(config.host, config.port))}`,
    `http: "127.0.0.1:-1"`,
    `ports_file_dir: ${quoted(config.portsFolder)}`,
    `max_payload: ${config.maxPayloadBytes}`,
    "jetstream {",
    `  store_dir: ${quoted(config.storeDir)}`,
    ...(config.syncInterval === undefined ? [] : [`  sync_interval: ${config.syncInterval}`]),
    "}",
    ...clusterLines(config),
    ...config.extraConfig,
    "",
  ].join("\n");
}

function clusterLines({ cluster, host }: ServerConfig): string[] {
  if (cluster === undefined) return [];
  return [
    "cluster {",
    `  name: ${quoted(cluster.name)}`,
    `  listen: ${quoted(address(host, cluster.port))}`,
    `  routes: [${(cluster.routes ?? []).map(quoted).join(", ")}]`,
    "}",
  ];
}

/** A host and port as one address, with the brackets an IPv6 host needs. */
export function address(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
