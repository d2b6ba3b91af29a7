/** Counters, and the projection of all their counts in the order in which they came. */
import { agent, projection } from "@troupe/core";
import type { Agent, EventInfo, Projection } from "@troupe/core";
import type { None } from "@troupe/core/engine";
import { tables } from "@troupe/postgres";
import type { PostgresModel, Sql } from "@troupe/postgres";
import { z } from "zod";

export interface Count {
  readonly n: number;
}

/** A row of the read model. */
export interface CountRow extends Count {
  readonly key: string;
}

const count = z.object({ n: z.number() });

export const counter: Agent<
  { total: number },
  None & { readonly counted: Count },
  { readonly count: { readonly input: Count; readonly reply: number } }
> = agent("counter")
  .state({ total: 0 })
  .event("counted", count, ({ total }, { n }) => ({ total: total + n }))
  .on("count", count, (context, message) => {
    context.emit.counted(message);
    return context.state.total;
  });

const setup = "create table line (place bigserial primary key, key text, n int)";

/** `written` is waited for after each row. */
export function countsProjection(
  name: string,
  written: (info: EventInfo) => Promise<void> = async () => undefined,
): Projection<PostgresModel> {
  return projection(name, tables(setup)).on(counter, "counted", async (sql, { n }, info) => {
    await sql.query("insert into line (key, n) values ($1, $2)", [info.agent.key, n]);
    await written(info);
  });
}

export async function rowsOf(sql: Sql, name: string): Promise<readonly CountRow[]> {
  const { rows } = await sql.query<CountRow>(`select key, n from "${name}".line order by place`);
  return rows;
}
