/**
 * Draws ports for servers. Binding is left to nats-server itself, and another port is drawn when
 * it finds one taken, so that there is no gap between checking and binding.
 */

import { randomInt } from "node:crypto";

/**
 * Below the range from which operating systems take the ports of outgoing connections (32768 and
 * above on Linux, 49152 on others): the port of a killed server stays free until it restarts.
 */
const firstPort = 20_000;
const endPort = 32_768;

/** A port that is probably free. */
export function drawPort(): number {
  return randomInt(firstPort, endPort);
}
