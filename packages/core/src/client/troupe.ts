/**
 * The front door: everything a program does with Troupe, on one log.
 *
 * `connect` of @troupe/jetstream makes one on a broker; `createTroupe` makes one on any log.
 */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { AskCalls, SendCalls } from "../definition/agent-calls.ts";
import { callsProxy } from "../definition/agent-calls.ts";
import type { PublishOptions, SendOptions } from "../definition/send-options.ts";
import type { Hostable } from "../definition/agent-definition.ts";
import type { AgentReference } from "../definition/agent-reference.ts";
import type { Agent } from "../definition/agent.ts";
import { acrossArchive } from "../log/archive/across-archive.ts";
import type { Archive } from "../log/archive/archive-port.ts";
import { logArchive } from "../log/archive/log-archive.ts";
import { systemClock, type Clock } from "../clock/clock.ts";
import { within } from "../clock/within.ts";
import { systemRandom, type Random } from "../clock/random.ts";
import { DefinitionError, StoppedError } from "../errors/definition-errors.ts";
import { errorData } from "../errors/troupe-error.ts";
import { eraseAgent } from "../engine/erasure/erase-agent.ts";
import type { Erasure, EraseOptions } from "../engine/erasure/erasure.ts";
import { faultLines, type FaultLines } from "../engine/inspection/fault-lines.ts";
import type { InspectionFeed, InspectionListener } from "../engine/inspection/inspection-feed.ts";
import { inspectionFeed } from "../engine/inspection/inspection-feed.ts";
import { layers } from "../engine/turn/interceptor.ts";
import type { FollowRequest, Log, LogEntry } from "../log/log.ts";
import { ProjectionRunner } from "./projection/projection-runner.ts";
import { projectSettings, type ProjectOptions } from "./projection/projection-settings.ts";
import type { ProjectionSink } from "./projection/projection-sink.ts";
import type { ReadModel } from "./projection/read-model.ts";
import { subjectKeys } from "../engine/personal/subject-keys.ts";
import type { Projection } from "./projection/projection.ts";
import type { RunningProjection } from "./projection/running-projection.ts";
import type {
  JournaledTurn,
  ReplayedTurn,
  ReplayOptions,
  TurnsOptions,
} from "../engine/history/replay.ts";
import { replay, turnsOf } from "../engine/history/replay.ts";
import { currentState, type CurrentState } from "../engine/history/current-state.ts";
import { recordedState, type RecordedState } from "../engine/history/recorded-state.ts";
import { forkAgent, type Fork, type ForkOptions } from "../engine/history/fork-agent.ts";
import type { Topic } from "../definition/topic.ts";
import { callersTrace } from "../definition/message/trace-context.ts";
import { requireOptions } from "../definition/option-rules.ts";
import {
  requireFollowRequest,
  requireAskOptions,
  messageOptionsOf,
  requirePublishOptions,
  requireSendOptions,
} from "../engine/turn/call-options.ts";
import type { AskOptions } from "../definition/context.ts";
import type { InterceptorLayers } from "../engine/turn/turn-host.ts";
import type { WorkerOptions } from "../engine/worker/worker-options.ts";
import { workerSettings } from "../engine/worker/worker-options.ts";
import { drainTimeoutMsOf, type StopOptions } from "../engine/worker/stop-options.ts";
import { RunningWorker, type Worker } from "../engine/worker/worker.ts";
import { agentKeys, type KeysOptions } from "./agent-keys.ts";
import { Audience } from "./audience.ts";
import { Asker } from "./asker.ts";
import { codeVersion } from "./code-version.ts";
import { agentsOf, requireHostable } from "./hostable.ts";
import type { Receipt } from "./sender.ts";
import { Sender } from "./sender.ts";
import type { TroupeOptions } from "./troupe-options.ts";
import { troupeOptionRules } from "./troupe-options.ts";
import type { Given, Troupe } from "./troupe-port.ts";

export type { Troupe } from "./troupe-port.ts";

/**
 * A Troupe on a log. @throws DefinitionError
 *
 * @example
 * ```ts
 * const troupe = createTroupe(log, {
 *   name: "billing",
 *   onFault: (fault) => console.error(fault),
 * });
 * ```
 */
export function createTroupe(log: Log, options: TroupeOptions = {}): Troupe {
  requireOptions("Option ", options, troupeOptionRules);
  return new TroupeOnLog(log, options);
}

class TroupeOnLog implements Troupe {
  readonly name: string;
  readonly log: Log;
  readonly archive: Archive | undefined;
  /** The log, and the entries that its archive has. */
  readonly #history: Log;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #faultLines: FaultLines;
  readonly #feed: InspectionFeed;
  readonly #layers: InterceptorLayers;
  readonly #asker: Asker;
  readonly #audience: Audience;
  readonly #sender: Sender;
  readonly #workers = new Set<RunningWorker>();
  readonly #projections = new Set<RunningProjection>();
  readonly #unlisten: () => void;
  #closing: Promise<void> | undefined;

  constructor(log: Log, options: TroupeOptions) {
    const interceptors = options.interceptors ?? [];
    this.name = options.name ?? `client-${randomBytes(4).toString("hex")}`;
    this.log = log;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#faultLines = faultLines({ clock: this.#clock });
    const { onFault = this.#faultLines.hear } = options;
    this.#feed = inspectionFeed(onFault === false ? undefined : onFault);
    this.archive = options.archive && logArchive(log, options.archive, { onFault: this.#tell });
    this.#history = this.archive === undefined ? log : acrossArchive(log, this.archive);
    this.#layers = {
      send: layers(interceptors, "send"),
      publish: layers(interceptors, "publish"),
      receive: layers(interceptors, "receive"),
      commit: layers(interceptors, "commit"),
    };
    this.#asker = new Asker(log, this.#clock);
    this.#audience = new Audience(log, this.#feed);
    this.#sender = new Sender({
      name: this.name,
      log,
      clock: this.#clock,
      random: this.#random,
      trace: () => callersTrace(options.traceparent?.(), options.tracestate?.()),
      layers: this.#layers,
      feed: this.#feed,
      asker: this.#asker,
      audience: this.#audience,
      requireOpen: () => this.#requireOpen(),
    });
    const unwatch = log.onStatus((status) => this.#feed.emit({ kind: "log.status", status }));
    const unhear = log.onFault(this.#tell);
    this.#unlisten = () => {
      unwatch();
      unhear();
    };
  }

  agent<Messages>(
    agent: AgentReference<Messages>,
    key: string,
    options: AskOptions = {},
  ): AskCalls<Messages, Given> {
    requireAskOptions(options);
    return callsProxy<AskCalls<Messages, Given>>((message, payload, given) => {
      // A caller that cancels asks, or closes the client, may have let go of some of their
      // promises.
      const onGivenUp = (): void => void asked.catch(() => undefined);
      const ask = async (): Promise<unknown> => {
        const origin = this.#sender.origin(messageOptionsOf(given));
        return this.#sender.ask(agent, key, message, payload, { ...options, onGivenUp }, origin);
      };
      const asked = ask();
      return asked;
    });
  }

  send<Messages>(
    agent: AgentReference<Messages>,
    key: string,
    options: SendOptions = {},
  ): SendCalls<Messages, Promise<Receipt>, Given> {
    requireSendOptions(options);
    return callsProxy<SendCalls<Messages, Promise<Receipt>, Given>>(async (message, given, own) => {
      const { id } = messageOptionsOf(own);
      return this.#sender.send(agent, key, message, given, { ...options, id });
    });
  }

  async publish<Input, Output>(
    topic: Topic<Input, Output>,
    source: string,
    event: Input,
    options: PublishOptions = {},
  ): Promise<Receipt> {
    requirePublishOptions(options);
    return this.#sender.publish(topic, source, event, options);
  }

  async work(agents: Hostable | readonly Hostable[], options: WorkerOptions = {}): Promise<Worker> {
    this.#requireOpen();
    const definitions = [agents].flat().flatMap(agentsOf);
    requireHostable(definitions);
    if ([...this.#workers].some(({ id }) => id === options.id)) {
      throw new DefinitionError(`A worker with the id ${options.id} runs already.`);
    }
    const settings = workerSettings(options);
    const worker: RunningWorker = new RunningWorker(
      {
        id: options.id ?? `${hostname()}-${process.pid}-${randomBytes(3).toString("hex")}`,
        version: options.version ?? codeVersion(),
        log: this.log,
        archive: this.archive,
        clock: this.#clock,
        random: this.#random,
        feed: this.#feed,
        layers: this.#layers,
        audience: this.#audience,
        settings,
        onStopped: () => this.#workers.delete(worker),
        ask: (agent, key, message, payload, askOptions, origin) =>
          this.#sender.ask(agent, key, message, payload, askOptions, origin, settings.callDepthMax),
      },
      definitions,
    );
    this.#workers.add(worker);
    try {
      await worker.start();
    } catch (thrown) {
      await worker.stop({ drainTimeoutMs: 0 });
      throw thrown;
    }
    return worker;
  }

  async project<Model extends ReadModel>(
    projection: Projection<Model>,
    sink: ProjectionSink<NoInfer<Model>>,
    options: ProjectOptions = {},
  ): Promise<RunningProjection> {
    this.#requireOpen();
    const running: ProjectionRunner<Model> = new ProjectionRunner<Model>(projection, sink, {
      log: this.#history,
      clock: this.#clock,
      random: this.#random,
      feed: this.#feed,
      settings: projectSettings(options),
      signal: options.signal,
      onEnded: () => this.#projections.delete(running),
    });
    this.#projections.add(running);
    await running.start();
    return running;
  }

  async state<State, Events, Messages>(
    agent: Agent<State, Events, Messages>,
    key: string,
  ): Promise<CurrentState<State>> {
    this.#requireOpen();
    return currentState({ log: this.log, feed: this.#feed }, agent, key);
  }

  async recordedState(type: string, key: string): Promise<RecordedState | undefined> {
    this.#requireOpen();
    return recordedState(this.log, { type, key });
  }

  keys({ type }: AgentReference<unknown>, options?: KeysOptions): AsyncIterable<string> {
    return agentKeys(this.log, type, options);
  }

  replay<State, Events, Messages>(
    agent: Agent<State, Events, Messages>,
    key: string,
    options?: ReplayOptions<State>,
  ): AsyncIterable<ReplayedTurn<State>> {
    return replay(this.#history, agent, key, options);
  }

  turns(type: string, key: string, options?: TurnsOptions): AsyncIterable<JournaledTurn> {
    return turnsOf(this.#history, { type, key }, options);
  }

  follow(request: FollowRequest): AsyncIterable<LogEntry> {
    requireFollowRequest(request);
    return this.#history.follow(request);
  }

  erase(agent: AgentReference<unknown>, key: string, options?: EraseOptions): Promise<Erasure> {
    const { archive, log, name } = this;
    const host = { archive, log, clock: this.#clock, name };
    return eraseAgent(host, { type: agent.type, key }, options);
  }

  fork<State, Events, Messages>(
    agent: Agent<State, Events, Messages>,
    key: string,
    options: ForkOptions,
  ): Promise<Fork> {
    const { log, name } = this;
    return forkAgent({ log, name, history: this.#history }, agent, key, options);
  }

  eraseKey(subject: string): Promise<boolean> {
    return subjectKeys(this.log).erase(subject);
  }

  inspect(listener: InspectionListener): () => void {
    return this.#feed.listen(listener);
  }

  async close(options: StopOptions = {}): Promise<void> {
    const drainTimeoutMs = drainTimeoutMsOf(options);
    this.#closing ??= this.#close(drainTimeoutMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(drainTimeoutMs: number): Promise<void> {
    try {
      const workers = [...this.#workers].map((each) => each.stop({ drainTimeoutMs }));
      const projections = [...this.#projections].map((each) => each.stop());
      // A transaction of a database that does not answer is given up: its checkpoint decides.
      const inTime = within(this.#clock, drainTimeoutMs, Promise.all(projections));
      await Promise.all([...workers, inTime]);
    } finally {
      this.#asker.stop();
      this.#unlisten();
      this.#faultLines.close();
      await this.log.close();
    }
  }

  readonly #tell = (what: string, thrown: unknown): void =>
    this.#feed.emit({ kind: "fault", what, failure: errorData(thrown) });

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new StoppedError("This client was closed.");
  }
}
