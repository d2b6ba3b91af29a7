/**
 * A client with the rights of a publisher that sends bytes as they are, and counts what it is told.
 */
import { MsgHdrsImpl, PermissionViolationError } from "@nats-io/nats-core";
import { connect, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";

import type { FuzzMessage } from "./fuzz-message.ts";

/** Headers as bytes, well-formed or not. */
class RawHeaders extends MsgHdrsImpl {
  readonly #block: Uint8Array;

  constructor(block: Uint8Array) {
    super();
    this.#block = block;
  }

  override encode(): Uint8Array {
    return this.#block;
  }
}

interface Ack {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: unknown;
}

const flyingMax = 256;

export class Publisher {
  /** Sequences in the ingress of what was acknowledged. */
  readonly acknowledged: number[] = [];
  /** Refused by the ingress, or by the client before it was sent. */
  refused = 0;
  /** Denied by the server, for want of the right. */
  denied = 0;
  readonly #connection: NatsConnection;
  readonly #namespace: string;
  readonly #inbox: string;
  #flying = 0;
  #wake: () => void = () => undefined;

  private constructor(connection: NatsConnection, namespace: string, inboxPrefix: string) {
    this.#connection = connection;
    this.#namespace = namespace;
    this.#inbox = `${inboxPrefix}.fuzz`;
    connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#acknowledge(message.json<Ack>());
      },
    });
    void this.#watch();
  }

  static async connect(
    options: NodeConnectionOptions & { readonly inboxPrefix: string },
    namespace: string,
  ): Promise<Publisher> {
    return new Publisher(await connect(options), namespace, options.inboxPrefix);
  }

  /** Resolves when there is room for the next one. */
  async send(message: FuzzMessage): Promise<void> {
    this.#flying += 1;
    if (!this.#publish(message, `${this.#inbox}.x`)) this.#landed(() => (this.refused += 1));
    while (this.#flying >= flyingMax) await this.#landing();
  }

  /** Sends where nothing is answered, or not to us. */
  sendOnly(message: FuzzMessage, reply?: string): void {
    this.#publish(message, reply);
  }

  /** Resolves when everything was answered. */
  async settled(): Promise<void> {
    await this.#connection.flush();
    while (this.#flying > 0) await this.#landing();
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #publish({ headers, payload, subject }: FuzzMessage, reply: string | undefined): boolean {
    const full = subject.startsWith("$") ? subject : `${this.#namespace}.${subject}`;
    try {
      this.#connection.publish(full, payload, {
        ...(headers === undefined ? {} : { headers: new RawHeaders(headers) }),
        ...(reply === undefined ? {} : { reply }),
      });
      return true;
    } catch {
      return false;
    }
  }

  #acknowledge({ duplicate, error, seq }: Ack): void {
    this.#landed(() => {
      if (error !== undefined) this.refused += 1;
      else if (duplicate !== true && seq !== undefined) this.acknowledged.push(seq);
    });
  }

  #landed(count: () => void): void {
    count();
    this.#flying -= 1;
    this.#wake();
  }

  #landing(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "error" && status.error instanceof PermissionViolationError) {
        this.denied += 1;
      }
    }
  }
}
