/**
 * Tells a handler that blocks the event loop from a worker that is dead, and ends it.
 *
 * A loop without end keeps a process from everything: its heartbeat stops, so other workers take
 * its partitions, but it never ends by itself and its run would never be counted. A thread of its
 * own watches whether the loop still turns, says which turn runs, and kills the process when that
 * takes too long. It counts its own rounds instead of looking at a clock, because a process that
 * was paused as a whole has blocked nothing.
 */
import { Worker } from "node:worker_threads";
import type { RunningTurns } from "./running-turns.ts";

const beatMs = 50;
const textBytesMax = 1024;
const headerBytes = 8;

/** Watches the event loop until the returned function is called. */
export function watchLoop(timeoutMs: number, running: RunningTurns): () => void {
  const shared = new SharedArrayBuffer(headerBytes + textBytesMax);
  // How often the loop turned, and the length of the text.
  const header = new Int32Array(shared, 0, 2);
  const text = new Uint8Array(shared, headerBytes);
  const write = (): void => {
    const bytes = Buffer.from(String(running)).subarray(0, textBytesMax);
    text.set(bytes);
    Atomics.store(header, 1, bytes.byteLength);
  };
  const thread = new Worker(watching, { eval: true, workerData: { shared, timeoutMs } });
  thread.unref();
  const timer = setInterval(() => Atomics.add(header, 0, 1), beatMs);
  timer.unref();
  const unhear = running.onStarted(write);
  return () => {
    unhear();
    clearInterval(timer);
    void thread.terminate();
  };
}

/**
 * The thread's program. It writes by itself: what it sends to the main thread waits for the loop.
 */
const watching = `
const { writeSync } = require("node:fs");
const { workerData } = require("node:worker_threads");
const { shared, timeoutMs } = workerData;
const header = new Int32Array(shared, 0, 2);
const text = new Uint8Array(shared, ${headerBytes});
const roundMs = Math.max(10, Math.min(250, timeoutMs / 4));
let beats = Atomics.load(header, 0);
let blockedMs = 0;
let said = false;
const say = (what) => {
  const turns = Buffer.from(text.slice(0, Atomics.load(header, 1))).toString();
  const line = what.replace("%", (blockedMs / 1000).toFixed(1)) + " Running: " + turns + ".";
  writeSync(2, line.replace(/[\\p{C}]+/gu, " ") + "\\n");
};
setInterval(() => {
  const now = Atomics.load(header, 0);
  if (now !== beats) {
    beats = now;
    blockedMs = 0;
    said = false;
    return;
  }
  blockedMs += roundMs;
  if (blockedMs >= timeoutMs) {
    say("A handler has blocked this process for % s, so it is ended; the run is counted.");
    process.kill(process.pid, "SIGKILL");
  } else if (!said && blockedMs >= timeoutMs / 2) {
    said = true;
    say("A handler has blocked this process for % s: nothing else runs, and other workers take over.");
  }
}, roundMs);
`;
