/**
 * Message headers as bytes. Headers are written on every publish, so they are one string that is
 * encoded once, instead of a map of lists.
 */
import { MsgHdrsImpl } from "@nats-io/nats-core";

/** The first line of every block. A block is this, `headerLine`s, and `headerEnd`. */
const headerStart = "NATS/1.0\r\n";
const headerEnd = "\r\n";

export function headerLine(name: string, value: string | number): string {
  return `${name}: ${value}\r\n`;
}

/** A block from finished lines. */
export function headerBlock(lines: string): Buffer {
  return Buffer.from(headerStart + lines + headerEnd);
}

/**
 * Headers in the form that the connection takes: it only asks for the bytes, at once. One carrier
 * serves all publishes, because `publish` encodes before it returns.
 */
class HeaderCarrier extends MsgHdrsImpl {
  block: Uint8Array = new Uint8Array(0);

  override encode(): Uint8Array {
    return this.block;
  }
}

const carrier = new HeaderCarrier();

/** The block as the `headers` option of the very next `publish`. */
export function asHeaders(block: Uint8Array): MsgHdrsImpl {
  carrier.block = block;
  return carrier;
}
