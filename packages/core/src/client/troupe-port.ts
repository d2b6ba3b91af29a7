/** What a program can do with Troupe, on whatever log it is: the calls of a client. */
import type { AskCalls, MessageOptions, SendCalls } from "../definition/agent-calls.ts";
import type { PublishOptions, SendOptions } from "../definition/send-options.ts";
import type { Hostable } from "../definition/agent-definition.ts";
import type { AgentReference } from "../definition/agent-reference.ts";
import type { Agent } from "../definition/agent.ts";
import type { Archive } from "../log/archive/archive-port.ts";
import type { Erasure, EraseOptions } from "../engine/erasure/erasure.ts";
import type { InspectionListener } from "../engine/inspection/inspection-feed.ts";
import type { FollowRequest, Log, LogEntry } from "../log/log.ts";
import type { ProjectOptions } from "./projection/projection-settings.ts";
import type { ProjectionSink } from "./projection/projection-sink.ts";
import type { ReadModel } from "./projection/read-model.ts";
import type { Projection } from "./projection/projection.ts";
import type { RunningProjection } from "./projection/running-projection.ts";
import type {
  JournaledTurn,
  ReplayedTurn,
  ReplayOptions,
  TurnsOptions,
} from "../engine/history/replay.ts";
import type { CurrentState } from "../engine/history/current-state.ts";
import type { RecordedState } from "../engine/history/recorded-state.ts";
import type { Fork, ForkOptions } from "../engine/history/fork-agent.ts";
import type { Topic } from "../definition/topic.ts";
import type { AskOptions } from "../definition/context.ts";
import type { WorkerOptions } from "../engine/worker/worker-options.ts";
import type { StopOptions } from "../engine/worker/stop-options.ts";
import type { Worker } from "../engine/worker/worker.ts";
import type { KeysOptions } from "./agent-keys.ts";
import type { Receipt } from "./sender.ts";

/** Arguments of a call after its message. */
export type Given = readonly [options?: MessageOptions];

export interface Troupe extends AsyncDisposable {
  readonly name: string;
  readonly log: Log;
  /** The log's archive, when there is a store for it. */
  readonly archive: Archive | undefined;
  /**
   * Ask an agent: each method sends a message and resolves with the reply.
   *
   * @example
   * ```ts
   * const balance = await troupe
   *   .agent(account, "alice", { timeoutMs: 5000 })
   *   .deposit({ amount: 5 });
   * ```
   */
  agent<Messages>(
    agent: AgentReference<Messages>,
    key: string,
    options?: AskOptions,
  ): AskCalls<Messages, Given>;
  /**
   * Send without waiting for a reply: each method resolves when the message is accepted (I1).
   *
   * @example
   * ```ts
   * const { position } = await troupe
   *   .send(account, "alice")
   *   .deposit({ amount: 5 }, { id: "order-7" });
   * ```
   */
  send<Messages>(
    agent: AgentReference<Messages>,
    key: string,
    options?: SendOptions,
  ): SendCalls<Messages, Promise<Receipt>, Given>;
  /**
   * Publish an event on a topic; resolves when it is accepted (I1).
   *
   * @example
   * ```ts
   * await troupe.publish(inquiries, "conversation-42", { text: "Where is my order?" });
   * ```
   */
  publish<Input, Output>(
    topic: Topic<Input, Output>,
    source: string,
    event: Input,
    options?: PublishOptions,
  ): Promise<Receipt>;
  /**
   * Host agent types and pipelines in this process; resolves when its first share of the work is
   * taken.
   *
   * @example
   * ```ts
   * const worker = await troupe.work([account], { retry: { attemptsMax: 5 } });
   * ```
   */
  work(agents: Hostable | readonly Hostable[], options?: WorkerOptions): Promise<Worker>;
  /**
   * Keep a read model up to date; resolves when it is opened and its lag is known. @throws
   * OutdatedProjectionError, ForeignCheckpointError, SinkUnavailableError, SinkRefusedError
   *
   * @example
   * ```ts
   * const running = await troupe.project(balances, memorySink());
   * await running.caughtUp();
   * ```
   */
  project<Model extends ReadModel>(
    projection: Projection<Model>,
    sink: ProjectionSink<NoInfer<Model>>,
    options?: ProjectOptions,
  ): Promise<RunningProjection>;
  /**
   * An agent's state now, without a turn: folded from its snapshot and journal, also where no
   * worker runs. Undefined before the first turn and after an end; a parked agent has one.
   * @throws AgentErasedError, JournalHoleError, NewerEventError, and what else `replay` throws
   *
   * ```ts
   * const { state, turn } = await troupe.state(account, "alice");
   * console.log(state?.balance, turn);
   * ```
   */
  state<State, Events, Messages>(
    agent: Agent<State, Events, Messages>,
    key: string,
  ): Promise<CurrentState<State>>;
  /**
   * The newest state of an agent that was stored as such, in a snapshot or base record, without its
   * definition. `turns` has the turns after it; undefined when no state was stored.
   *
   * ```ts
   * const recorded = await troupe.recordedState("account", "alice");
   * ```
   */
  recordedState(type: string, key: string): Promise<RecordedState | undefined>;
  /**
   * Keys of the agents of a type that ever had a turn, in no order, each once; also of those that
   * have ended or were erased. One that comes or goes meanwhile may be left out.
   * @throws LogUnavailableError, DefinitionError
   *
   * @example
   * ```ts
   * for await (const key of troupe.keys(account, { prefix: "eu-" })) console.log(key);
   * ```
   */
  keys(agent: AgentReference<unknown>, options?: KeysOptions): AsyncIterable<string>;
  /**
   * An agent's turns with the state after each, from the journal; calls nothing.
   *
   * @example
   * ```ts
   * for await (const { record, state } of troupe.replay(account, "alice")) {
   *   console.log(record.turn, state.balance);
   * }
   * ```
   */
  replay<State, Events, Messages>(
    agent: Agent<State, Events, Messages>,
    key: string,
    options?: ReplayOptions<State>,
  ): AsyncIterable<ReplayedTurn<State>>;
  /**
   * An agent's turns without their states: needs no definition.
   *
   * @example
   * ```ts
   * for await (const { record } of troupe.turns("account", "alice"))
   *   console.log(record.message);
   * ```
   */
  turns(type: string, key: string, options?: TurnsOptions): AsyncIterable<JournaledTurn>;
  /**
   * Follow topics, turns and dead letters.
   *
   * @example
   * ```ts
   * for await (const entry of troupe.follow({ from: 1, kinds: ["dead-letter"] }))
   *   console.log(entry);
   * ```
   */
  follow(request: FollowRequest): AsyncIterable<LogEntry>;
  /**
   * Erase everything that the log, the key store and an archive hold of an agent; its key may begin
   * a new life afterwards. @throws LogUnavailableError: do it again, it goes on
   *
   * @example
   * ```ts
   * const { parts } = await troupe.erase(account, "alice", { dryRun: true });
   * ```
   */
  erase(agent: AgentReference<unknown>, key: string, options?: EraseOptions): Promise<Erasure>;
  /**
   * Begin a new agent with the state that this one had after a turn. Nothing runs or is sent again.
   * @throws ForkRefusedError, ForeignSubjectsError
   *
   * @example
   * ```ts
   * const { turn } = await troupe.fork(account, "alice", { to: "what-if", turn: 1200 });
   * ```
   */
  fork<State, Events, Messages>(
    agent: Agent<State, Events, Messages>,
    key: string,
    options: ForkOptions,
  ): Promise<Fork>;
  /**
   * Erase the key of a data subject, such as `customer/42`: all data that were sealed with it are
   * gone in the log, its backups and archives. True when there was one. @throws
   * KeysUnavailableError
   */
  eraseKey(subject: string): Promise<boolean>;
  /** Hear everything this process does. Returns the function that ends it. */
  inspect(listener: InspectionListener): () => void;
  /** Stop the workers and projections, all at once, then the connection. */
  close(options?: StopOptions): Promise<void>;
}
