/** Parts that all ways of finding a nats-server have in common. */

/** A nats-server that runs here and is new enough. */
export type NatsServerBinary = {
  readonly path: string;
  /** Such as "2.15.1". */
  readonly version: string;
};

/** The surroundings a finder looks at; injected, so that tests can set up their own. */
export type FinderContext = {
  readonly environment: NodeJS.ProcessEnv;
  /** The folder that holds downloaded servers, one folder per version. */
  readonly cacheFolder: string;
  /** Address of the releases: `<base>/v<version>/<file>`. */
  readonly releaseBaseUrl: string;
  /** Time that the release host may take to answer, in milliseconds. */
  readonly releaseAnswerTimeoutMs: number;
  /** The folder with the package manager's `sources.list` and `sources.list.d`. */
  readonly aptFolder: string;
  readonly signal: AbortSignal;
  readonly onProgress: (message: string) => void;
};

/** A place to look. `find` rejects with the reason when it has nothing to offer. */
export type Finder = {
  /** The place in words, for the error that lists what was tried. */
  readonly place: string;
  find(context: FinderContext): Promise<NatsServerBinary>;
};
