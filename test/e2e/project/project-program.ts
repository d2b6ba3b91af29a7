/**
 * A process that runs a projection into PostgreSQL, and stands still in the middle of a transaction
 * so that a test can kill it there.
 */
import type { ProjectionSink } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { openPostgres } from "@troupe/postgres";
import type { PostgresModel } from "@troupe/postgres";

import { countsProjection, rowsOf } from "./counts.ts";
import type { ProjectProgramSettings } from "./project-program-settings.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as ProjectProgramSettings;
const { name, namespace, nats, database, holdAt = Infinity, isSabotaged = false } = settings;
const tell = (kind: string, more: object = {}): void => void process.send?.({ kind, ...more });

const hold = (): Promise<never> => {
  tell("held");
  return Promise.withResolvers<never>().promise;
};
let written = 0;
const counts = countsProjection(name, async () => {
  written += 1;
  if (!isSabotaged && written === holdAt) await hold();
});

/** The checkpoint in a transaction of its own: what a sink must not do. */
function sabotaged(sink: ProjectionSink<PostgresModel>): ProjectionSink<PostgresModel> {
  return {
    ...sink,
    apply: async (projection, { from, to }, work) => {
      const stored = await sink.apply(projection, { from, to: from }, work);
      if (stored.position !== from.position) return stored;
      if (written >= holdAt) await hold();
      return sink.apply(projection, { from, to }, async () => undefined);
    },
  };
}

const postgres = await openPostgres(database);
const troupe = await connect(nats, { namespace });
const sink = isSabotaged ? sabotaged(postgres) : postgres;
const running = await troupe.project(counts, sink, { batchSizeMax: 20 });

process.on("message", (question) => {
  if (question !== "rows") return;
  void running
    .caughtUp()
    .then(() => rowsOf(postgres, name))
    .then((answer) => tell("answer rows", { answer }));
});
process.once("SIGTERM", () => {
  void troupe
    .close()
    .then(() => postgres.close())
    .then(() => process.exit(0));
});
process.once("disconnect", () => process.exit(0));
tell("ready");
