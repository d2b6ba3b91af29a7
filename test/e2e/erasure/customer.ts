/** Customers who leave traces everywhere, and read models of what they said. */
import { agent, projection, topic } from "@troupe/core";
import type { Agent, Projection, Topic } from "@troupe/core";
import type { None } from "@troupe/core/engine";
import { tables } from "@troupe/postgres";
import type { PostgresModel, Sql } from "@troupe/postgres";
import { z } from "zod";

interface Text {
  readonly text: string;
}

type Said = readonly string[];

export const remarks: Topic<Text, Text> = topic("remarks", z.object({ text: z.string() }));

export const customer: Agent<
  Said,
  None & { readonly said: string },
  {
    readonly say: { readonly input: string; readonly reply: number };
    readonly remind: { readonly input: string; readonly reply: undefined };
    readonly fail: { readonly input: string; readonly reply: undefined };
    readonly look: { readonly input: object; readonly reply: Said };
  }
> = agent("customer")
  .state<Said>([])
  .event("said", z.string(), (all, text) => [...all, text])
  .on("say", z.string(), async (ctx, text) => {
    await ctx.step("weigh", text, async () => `weighed ${text}`);
    ctx.emit.said(text);
    return ctx.state.length;
  })
  .on("remind", z.string(), (ctx, text) => void ctx.after(3_600_000).say(text))
  .on("fail", z.string(), (_, text): undefined => {
    throw new Error(text);
  })
  .on("look", z.object({}), (ctx) => ctx.state)
  .subscribe(remarks, (ctx, { text }) => ctx.emit.said(text));

const setup = "create table line (place bigserial primary key, key text, text text)";

export interface Line {
  readonly key: string;
  readonly text: string;
}

const lines = (name: string): Projection<PostgresModel> =>
  projection(name, tables(setup)).on(customer, "said", async (sql, text, { agent: { key } }) => {
    await sql.query("insert into line (key, text) values ($1, $2)", [key, text]);
  });

/** Lines of everybody who was not erased. */
export const said: Projection<PostgresModel> = lines("said").onErased(
  customer,
  async (sql, { agent: { key } }) => {
    await sql.query("delete from line where key = $1", [key]);
  },
);

/** The same by somebody who did not think of erasures. */
export const saidForEver: Projection<PostgresModel> = lines("said_for_ever");

export async function linesOf(sql: Sql, name: string): Promise<readonly Line[]> {
  const { rows } = await sql.query<Line>(`select key, text from "${name}".line order by place`);
  return rows;
}
