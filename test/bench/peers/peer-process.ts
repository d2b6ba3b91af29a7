/** The process of one peer, as the benchmark sees it: opened, asked for rounds, and ended. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { CannotRunError } from "../benchmark.ts";
import type { ChainOrder, ChainRound, Peer, PeerAnswer, PeerOrder, Surroundings } from "./peer.ts";

const host = fileURLToPath(new URL("host.ts", import.meta.url));

/** Time limit for an answer of a peer, in milliseconds. */
const answerTimeoutMs = 10 * 60_000;

/** Time limit for a peer to end its servers before it is killed, in milliseconds. */
const closeTimeoutMs = 20_000;

/** @throws CannotRunError when this machine lacks what the peer needs */
export async function openPeerProcess(
  adapter: string,
  surroundings: Surroundings,
): Promise<Required<Peer>> {
  // What the peer prints belongs to nobody's results.
  const child = fork(host, [adapter, JSON.stringify(surroundings)], {
    stdio: ["ignore", 2, 2, "ipc"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const close = (): Promise<void> => end(child, ended);
  try {
    const answer = await nextAnswer(child);
    if ("cannotRun" in answer) throw new CannotRunError(answer.cannotRun);
    if (!("ready" in answer)) throw new Error(`${adapter} is not ready: ${JSON.stringify(answer)}`);
    return {
      ...answer.ready,
      round: (deposits) => round(child, adapter, deposits),
      chain: (wanted) => chain(child, adapter, wanted),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function round(child: ChildProcess, adapter: string, deposits: number): Promise<number> {
  const settled = await answerTo(child, { round: deposits });
  if ("seconds" in settled) return settled.seconds;
  throw failed(adapter, settled);
}

async function chain(
  child: ChildProcess,
  adapter: string,
  wanted: ChainOrder,
): Promise<ChainRound> {
  const settled = await answerTo(child, { chain: wanted });
  if ("chained" in settled) return settled.chained;
  throw failed(adapter, settled);
}

function answerTo(child: ChildProcess, asked: PeerOrder): Promise<PeerAnswer> {
  const answer = nextAnswer(child);
  order(child, asked);
  return answer;
}

function failed(adapter: string, settled: PeerAnswer): Error {
  return new Error(`${adapter}: ${"failed" in settled ? settled.failed : JSON.stringify(settled)}`);
}

function order(child: ChildProcess, message: PeerOrder): void {
  child.send(message);
}

async function nextAnswer(child: ChildProcess): Promise<PeerAnswer> {
  const signal = AbortSignal.timeout(answerTimeoutMs);
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const gone = once(child, "exit", { signal: either }).then(([code, killedBy]) => {
    throw new Error(`the process of the peer ended with ${String(killedBy ?? code)}`);
  });
  const told = once(child, "message", { signal: either }).then(
    ([answer]): PeerAnswer => answer as PeerAnswer,
  );
  try {
    return await Promise.race([told, gone]);
  } finally {
    stop.abort();
    await Promise.allSettled([told, gone]);
  }
}

async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.connected) order(child, "close");
  const escalation = setTimeout(() => child.kill("SIGKILL"), closeTimeoutMs);
  await ended;
  clearTimeout(escalation);
}
