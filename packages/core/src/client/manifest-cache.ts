/** Agent types that exist, as the log's manifests say; found once, remembered. */
import { UnknownAgentError, UnknownMessageError } from "../errors/ask-errors.ts";
import type { Log } from "../log/log.ts";
import type { Manifest } from "../log/manifest.ts";

export class ManifestCache {
  readonly #log: Log;
  readonly #messages = new Map<string, ReadonlySet<string>>();
  /** Being read, by type: many calls may want the same one at once. */
  readonly #coming = new Map<string, Promise<Manifest | undefined>>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** True when the type is remembered with this message; then nothing has to be awaited. */
  knows(type: string, message: string): boolean {
    return this.#messages.get(type)?.has(message) === true;
  }

  /** @throws UnknownAgentError, UnknownMessageError */
  async require(type: string, message: string): Promise<void> {
    const manifest = await this.#read(type);
    if (manifest === undefined) throw await this.#unknownAgent(type);
    this.#messages.set(type, new Set(manifest.messages));
    if (manifest.messages.includes(message)) return;
    const known = manifest.messages.join(", ") || "none";
    throw new UnknownMessageError(
      `Agent type ${type} handles no message ${JSON.stringify(message)}; it handles: ${known}.`,
      { details: { type, message } },
    );
  }

  #read(type: string): Promise<Manifest | undefined> {
    const coming = this.#coming.get(type);
    if (coming !== undefined) return coming;
    const reading = this.#log.manifest(type).finally(() => this.#coming.delete(type));
    this.#coming.set(type, reading);
    return reading;
  }

  async #unknownAgent(type: string): Promise<UnknownAgentError> {
    const types = (await this.#log.manifests()).map((manifest) => manifest.type);
    const known =
      types.length === 0 ? "there are none yet" : `there are: ${types.toSorted().join(", ")}`;
    return new UnknownAgentError(
      `No worker ever hosted the agent type ${type} in the namespace ${this.#log.namespace}; ${known}. Start a worker that hosts it.`,
      { details: { type, namespace: this.#log.namespace } },
    );
  }
}
