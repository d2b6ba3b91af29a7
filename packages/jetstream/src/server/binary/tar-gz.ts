/**
 * Reads one file out of a gzipped tar archive held in memory. Release archives are small
 * (about 6 MB packed, 20 MB unpacked), and this way unpacking needs no system program.
 */

import { gunzipSync } from "node:zlib";

const blockSize = 512;

/** The most an archive may unpack to, in bytes; a guard against a file that is not ours. */
const unpackedSizeMax = 256 * 1024 * 1024;

/** The content of the regular file whose base name is `name`; throws when there is none. */
export function extractFromTarGz(archive: Uint8Array, name: string): Uint8Array {
  const tar = gunzipSync(archive, { maxOutputLength: unpackedSizeMax });
  let position = 0;
  while (position + blockSize <= tar.length) {
    const header = tar.subarray(position, position + blockSize);
    const path = textField(header, 0, 100);
    if (path === "") break;
    const size = Number.parseInt(textField(header, 124, 12).trim(), 8);
    if (!Number.isSafeInteger(size)) throw new Error(`the archive has no size for ${path}`);
    const start = position + blockSize;
    if (isRegularFile(header) && path.split("/").at(-1) === name) {
      if (start + size > tar.length) throw new Error(`the archive ends inside ${path}`);
      return tar.subarray(start, start + size);
    }
    position = start + Math.ceil(size / blockSize) * blockSize;
  }
  throw new Error(`the archive has no file named ${name}`);
}

function isRegularFile(header: Uint8Array): boolean {
  return header[156] === 0x30 || header[156] === 0;
}

function textField(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? length : end);
}
