/** The projection and the sink that a module of the user's exports. */
import type { Projection, ProjectionSink, ReadModel } from "@troupe/core";
import { CommandError, UsageError } from "./failure.ts";
import type { Exported } from "./import-module.ts";
import { importModule, listed } from "./import-module.ts";

export interface ModuleProjection {
  readonly projection: Projection<ReadModel>;
  readonly sink: ProjectionSink<ReadModel>;
}

/**
 * Import a module and find its projection, and a sink that can hold it. With `name` the export of
 * that name is the projection. @throws UsageError, CommandError
 */
export async function moduleProjection(
  module: string,
  name: string | undefined,
): Promise<ModuleProjection> {
  const exported = await importModule(module);
  const projection = theOnly(module, exported, {
    what: 'projection (what projection("…") returns)',
    found: named(exported, name).filter(([, value]) => isKind(value, "projection")),
    hint: "say which with --export",
  }) as Projection<ReadModel>;
  const { medium } = projection.model;
  const sink = theOnly(module, exported, {
    what: `sink for ${medium} (such as \`export const sink = await openPostgres()\`)`,
    found: Object.entries(exported).filter(
      ([, value]) => isKind(value, "projection-sink") && isOf(value, medium),
    ),
    hint: "export only one",
  }) as ProjectionSink<ReadModel>;
  return { projection, sink };
}

type Export = readonly [name: string, value: unknown];

function named(exported: Exported, name: string | undefined): readonly Export[] {
  if (name === undefined) return Object.entries(exported);
  if (!Object.hasOwn(exported, name)) {
    throw new UsageError(`There is no export ${name}; the module exports ${listed(exported)}.`);
  }
  return [[name, exported[name]]];
}

interface Choice {
  readonly what: string;
  readonly found: readonly Export[];
  readonly hint: string;
}

function theOnly(module: string, exported: Exported, { what, found, hint }: Choice): unknown {
  const values = new Set(found.map(([, value]) => value));
  const [first] = values;
  if (first === undefined) {
    throw new CommandError(`${module} exports no ${what}; it exports ${listed(exported)}.`);
  }
  if (values.size === 1) return first;
  const names = found.map(([name]) => name).join(", ");
  throw new UsageError(`${module} exports more than one ${what}: ${names}; ${hint}.`);
}

function isKind(value: unknown, kind: string): boolean {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
}

function isOf(value: unknown, medium: string): boolean {
  const isObject = typeof value === "object" && value !== null;
  return isObject && "medium" in value && value.medium === medium;
}
