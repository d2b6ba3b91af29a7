/**
 * Read models in this process's memory: for tests, and for small models that may be built anew at
 * every start.
 *
 * A transaction works on a copy of the whole model, whose stored form takes the model's place when
 * everything went well. Readers get what nobody else can change. The models are gone with the sink,
 * and so are the checkpoints.
 */
import { DefinitionError } from "../../errors/definition-errors.ts";
import { SinkRefusedError } from "../../errors/projection-errors.ts";
import { thrownText } from "../../errors/thrown.ts";
import { handedOut, stored as storedForm, storedCopy } from "../../wire/storable.ts";
import type { ProjectionDefinition } from "./projection.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { isSameCheckpoint, startOf } from "./checkpoint.ts";
import type { ProjectionSink } from "./projection-sink.ts";
import type { ReadModel } from "./read-model.ts";

/** A storable value in memory that handlers change (docs/guides/values.md). */
export interface MemoryModel<Value> extends ReadModel<Value> {
  readonly medium: "memory";
  readonly initial: () => Value;
}

export interface MemorySink extends ProjectionSink<MemoryModel<unknown>> {
  /**
   * The model as of its checkpoint; do not change it. The initial one before the first start.
   *
   * @example
   * ```ts
   * const byOwner = sink.read(balances);
   * ```
   */
  read<Value>(projection: ProjectionDefinition & { readonly model: MemoryModel<Value> }): Value;
}

/**
 * A read model in memory; `initial` makes an empty one.
 *
 * @example
 * ```ts
 * const model = memoryModel(() => new Map<string, number>());
 * ```
 */
export function memoryModel<Value>(initial: () => Value): MemoryModel<Value> {
  return Object.freeze({ medium: "memory", initial });
}

/**
 * A sink for models in memory. Runners that share it share its models.
 *
 * @example
 * ```ts
 * const running = await troupe.project(balances, memorySink());
 * ```
 */
export function memorySink(): MemorySink {
  const stored = new Map<string, StoredModel>();
  const last = new Map<string, Promise<unknown>>();
  /** Runs a projection's transactions one at a time. */
  const inTurn = <T>(projection: ProjectionDefinition, work: () => Promise<T>): Promise<T> => {
    const turn = (last.get(projection.name) ?? Promise.resolve()).then(work, work);
    last.set(
      projection.name,
      turn.catch(() => undefined),
    );
    return turn;
  };
  const make = (projection: ProjectionDefinition): Checkpoint => {
    const value = modelOf(projection, initialOf(projection)());
    const made = { checkpoint: startOf(projection), value };
    stored.set(projection.name, made);
    return made.checkpoint;
  };
  return Object.freeze<MemorySink>({
    kind: "projection-sink",
    medium: "memory",
    open: (projection) =>
      inTurn(projection, async () => {
        const found = stored.get(projection.name)?.checkpoint;
        return found === undefined || found.version < projection.version ? make(projection) : found;
      }),
    apply: (projection, { from, to }, work) =>
      inTurn(projection, async () => {
        const found = stored.get(projection.name);
        if (found === undefined) return make(projection);
        if (!isSameCheckpoint(found.checkpoint, from)) return found.checkpoint;
        const value = storedCopy(found.value, "The model");
        await work(value);
        stored.set(projection.name, { checkpoint: to, value: modelOf(projection, value) });
        return to;
      }),
    reset: (projection) => inTurn(projection, async () => make(projection)),
    read: (projection) => {
      const found = stored.get(projection.name);
      return found === undefined
        ? projection.model.initial()
        : (handedOut(found.value) as ReturnType<typeof projection.model.initial>);
    },
  });
}

interface StoredModel {
  readonly checkpoint: Checkpoint;
  readonly value: unknown;
}

/** The model as it is kept. @throws SinkRefusedError when it is not storable */
function modelOf({ name }: ProjectionDefinition, value: unknown): unknown {
  try {
    return storedForm(value, `The model of the projection ${name}`);
  } catch (cause) {
    throw new SinkRefusedError(thrownText(cause), { details: { projection: name }, cause });
  }
}

function initialOf({ name, model }: ProjectionDefinition): () => unknown {
  if ("initial" in model && typeof model.initial === "function") {
    return model.initial as () => unknown;
  }
  throw new DefinitionError(
    `Projection ${name} has a read model for ${model.medium}: a memory sink cannot hold it.`,
    { details: { projection: name, medium: model.medium } },
  );
}
