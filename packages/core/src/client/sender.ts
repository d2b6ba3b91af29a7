/**
 * Sends of a client, from the call to the log: checked, through the interceptors, to a type that
 * the log knows, with personal data sealed.
 */
import type { MessageOptions } from "../definition/agent-calls.ts";
import type { AgentReference } from "../definition/agent-reference.ts";
import type { PublishOptions } from "../definition/send-options.ts";
import type { Clock } from "../clock/clock.ts";
import type { Random } from "../clock/random.ts";
import type { InspectionFeed } from "../engine/inspection/inspection-feed.ts";
import { throughLayers, type OutgoingCall } from "../engine/turn/interceptor.ts";
import type { Accepted } from "../definition/message/input.ts";
import type { Log } from "../log/log.ts";
import type { Metadata } from "../definition/message/metadata.ts";
import type { PersonalNote } from "../definition/personal.ts";
import { noteOfMessage, noteOfTopic } from "../engine/personal/sealing.ts";
import type { Topic } from "../definition/topic.ts";
import type { AskOptions } from "../definition/context.ts";
import { checkedMessage, checkedPublication } from "../engine/turn/outgoing-payload.ts";
import type { AskOrigin, InterceptorLayers } from "../engine/turn/turn-host.ts";
import { workerSettingsDefault } from "../engine/worker/worker-options.ts";
import type { Asker } from "./asker.ts";
import { askTimeoutMsDefault, checkCallers } from "./asker.ts";
import type { Audience } from "./audience.ts";
import { ManifestCache } from "./manifest-cache.ts";
import { messageId } from "./message-id.ts";
import { draftOf, sealedCall } from "./outgoing-draft.ts";
import { requireSameMessage } from "./same-message.ts";

/** Answer of the log to an accepted message. */
export interface Receipt extends Accepted {
  readonly id: string;
}

interface SenderParts {
  /** Name of the client. */
  readonly name: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly trace: () => Pick<Metadata, "traceparent" | "tracestate">;
  readonly layers: InterceptorLayers;
  readonly feed: InspectionFeed;
  readonly asker: Asker;
  readonly audience: Audience;
  /** @throws StoppedError */
  readonly requireOpen: () => void;
}

export class Sender {
  readonly #parts: SenderParts;
  readonly #manifests: ManifestCache;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#manifests = new ManifestCache(parts.log);
  }

  /** Resolves when the message is accepted (I1). */
  async send<Messages>(
    agent: AgentReference<Messages>,
    key: string,
    message: string,
    given: unknown,
    options: PublishOptions,
  ): Promise<Receipt> {
    const payload = checkedMessage(agent, message, given);
    const address = { kind: "agent", name: agent.type, key } as const;
    const call: OutgoingCall = { how: "send", address, message, payload, from: undefined };
    const note = noteOfMessage(agent, message);
    return (await throughLayers(this.#parts.layers.send, call, async (inner) => {
      await this.#requireKnown(inner.address.name, inner.message ?? message);
      return this.#accept(inner, note, options);
    })) as Receipt;
  }

  /** Resolves when the event is accepted (I1). */
  async publish<Input, Output>(
    topic: Topic<Input, Output>,
    source: string,
    event: Input,
    options: PublishOptions,
  ): Promise<Receipt> {
    const payload = checkedPublication(topic, event);
    const address = { kind: "topic", name: topic.name, key: source } as const;
    const unnamed = { message: undefined, from: undefined };
    const call: OutgoingCall = { how: "publish", address, payload, ...unnamed };
    return (await throughLayers(this.#parts.layers.publish, call, async (inner) => {
      this.#parts.audience.published(inner.address.name);
      return this.#accept(inner, noteOfTopic(topic), options);
    })) as Receipt;
  }

  /** Origin of an ask that no turn makes. */
  origin({ id }: MessageOptions): AskOrigin {
    const { name, random, trace } = this.#parts;
    return {
      sender: name,
      id: id ?? messageId(random),
      ...trace(),
      causationId: undefined,
      correlationId: undefined,
      callers: [],
      deadlineMs: undefined,
    };
  }

  /** A turn that asks names itself in the origin. @throws what `Asker.ask` throws */
  async ask(
    agent: AgentReference<unknown>,
    key: string,
    message: string,
    given: unknown,
    options: AskOptions & { readonly onGivenUp?: () => void },
    origin: AskOrigin,
    callDepthMax: number = workerSettingsDefault.callDepthMax,
  ): Promise<unknown> {
    // A turn that asks while this client closes is still to be finished.
    if (origin.callers.length === 0) this.#parts.requireOpen();
    const payload = checkedMessage(agent, message, given);
    checkCallers(origin.callers, { type: agent.type, key }, callDepthMax);
    const address = { kind: "agent", name: agent.type, key } as const;
    const from = origin.callers.at(-1);
    const call: OutgoingCall = { how: "ask", address, message, payload, from };
    return throughLayers(this.#parts.layers.send, call, async (inner) => {
      const asked = inner.message ?? message;
      await this.#requireKnown(inner.address.name, asked);
      const leftMs = (origin.deadlineMs ?? Infinity) - this.#parts.log.nowMs();
      const timeoutMs = Math.min(options.timeoutMs ?? askTimeoutMsDefault, leftMs);
      const { causationId, correlationId, callers, hops, id, sender } = origin;
      const { traceparent, tracestate } = origin;
      const about = { id, sender, traceparent, tracestate, causationId, correlationId, hops };
      const note = noteOfMessage(agent, message);
      const sealed = note === undefined ? inner : await sealedCall(this.#parts.log, inner, note);
      const draft = draftOf(sealed, {
        ...about,
        callers: callers.length === 0 ? undefined : callers,
      });
      return this.#parts.asker.ask({
        agent: { type: inner.address.name, key: inner.address.key },
        message: asked,
        draft,
        acceptedAt: origin.acceptedAt,
        fence: origin.fence,
        timeoutMs: Math.max(0, timeoutMs),
        signal: options.signal,
        onGivenUp: options.onGivenUp ?? (() => undefined),
        onFound: (position) => origin.onAccepted?.(position),
        onAccepted: (position) => {
          origin.onAccepted?.(position);
          this.#sent(inner, draft.metadata, position);
        },
      });
    });
  }

  async #accept(
    given: OutgoingCall,
    note: PersonalNote | undefined,
    options: PublishOptions,
  ): Promise<Receipt> {
    this.#parts.requireOpen();
    const { clock, log, name, random, trace } = this.#parts;
    const call = note === undefined ? given : await sealedCall(log, given, note);
    const id = options.id ?? messageId(random);
    const draft = draftOf(call, { id, ...trace(), sender: name });
    const accepted = await log.accept(draft, { signal: options.signal });
    if (accepted.duplicate) {
      const host = { log, clock, signal: options.signal };
      await requireSameMessage(host, draft, accepted.position);
    }
    this.#sent(call, draft.metadata, accepted.position);
    return { ...accepted, id };
  }

  #sent(call: OutgoingCall, metadata: Metadata, position: number): void {
    const { feed } = this.#parts;
    if (!feed.active) return;
    const { kind, name, key } = call.address;
    feed.emit({
      kind: "message.sent",
      how: call.how,
      to: `${kind}/${name}/${key}`,
      id: metadata.id ?? "",
      position,
      traceparent: metadata.traceparent ?? "",
    });
  }

  async #requireKnown(type: string, message: string): Promise<void> {
    if (!this.#manifests.knows(type, message)) await this.#manifests.require(type, message);
  }
}
