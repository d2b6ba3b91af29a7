/**
 * The process of one peer: `node host.ts ADAPTER SURROUNDINGS`. It takes orders from the benchmark
 * and closes its peer when the benchmark says so or is gone.
 */
import { CannotRunError } from "../benchmark.ts";
import type { ChainOrder, OpenPeer, Peer, PeerAnswer, PeerOrder, Surroundings } from "./peer.ts";

const [adapter = "", surroundings = "{}"] = process.argv.slice(2);

let peer: Peer | undefined;
let closing: Promise<void> | undefined;

process.on("disconnect", () => void close());
process.on("message", (message: PeerOrder) => {
  if (message === "close") void close();
  else if ("chain" in message) void runChain(message.chain);
  else void run(message.round);
});
// Ctrl-C reaches the whole group; the benchmark says when it is over.
process.on("SIGINT", () => undefined);

try {
  const { open } = (await import(`./adapters/${adapter}.ts`)) as { readonly open: OpenPeer };
  peer = await open(JSON.parse(surroundings) as Surroundings);
  const { versions, settings, durability } = peer;
  answer({ ready: { versions, settings, durability } });
} catch (error) {
  if (error instanceof CannotRunError) answer({ cannotRun: error.message });
  else answer({ failed: reasonOf(error) });
}
// The benchmark went away while the peer was opened.
if (closing !== undefined) await peer?.close();

async function run(deposits: number): Promise<void> {
  try {
    if (peer === undefined) throw new Error("the peer is not open");
    answer({ seconds: await peer.round(deposits) });
  } catch (error) {
    answer({ failed: reasonOf(error) });
  }
}

async function runChain(order: ChainOrder): Promise<void> {
  try {
    if (peer?.chain === undefined) throw new Error("the peer has no chain");
    answer({ chained: await peer.chain(order) });
  } catch (error) {
    answer({ failed: reasonOf(error) });
  }
}

function close(): Promise<void> {
  closing ??= (async () => {
    try {
      await peer?.close();
    } finally {
      // What a peer's library left running must not keep the process.
      process.exit();
    }
  })();
  return closing;
}

function answer(message: PeerAnswer): void {
  if (process.connected) process.send?.(message);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
