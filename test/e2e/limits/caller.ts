/** An agent that calls a model under a limit. */
import { once } from "node:events";
import { connect as dial } from "node:net";

import { agent, limit } from "@troupe/core";
import type { LimitOptions } from "@troupe/core";
import { z } from "zod";

import { Program } from "../program.ts";

export interface CallerSettings {
  readonly nats: string;
  readonly namespace: string;
  /** Port of the model. */
  readonly port: number;
  readonly limit: LimitOptions;
  readonly limitLeaseMs: number;
}

/** Only its messages matter to who sends them. */
export function callerOf(settings: Pick<CallerSettings, "limit" | "port">) {
  const model = limit("model", settings.limit);
  return agent("caller").on("call", z.object({}), (ctx) =>
    ctx.step("model", ({ signal }) => call(settings.port, signal), { limit: model }),
  );
}

/** Resolves when the model has answered and hung up. */
async function call(port: number, signal: AbortSignal): Promise<string> {
  const socket = dial({ port, host: "127.0.0.1" });
  socket.write(String(process.pid));
  socket.resume();
  await once(socket, "close", { signal });
  return "answered";
}

const script = new URL("./caller-worker.ts", import.meta.url);

/** A worker process; resolves when it runs. */
export function startCaller(settings: CallerSettings): Promise<Program> {
  return Program.start(script, settings);
}
