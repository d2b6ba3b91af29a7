/** Searches files for letters, also in what an archive has compressed. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";

/** Files below a directory in which the letters are. */
export async function filesWith(
  directory: string,
  letters: string | Uint8Array,
): Promise<readonly string[]> {
  const wanted = Buffer.from(letters as string);
  const found: string[] = [];
  // Files come and go meanwhile.
  const names = await readdir(directory, { recursive: true }).catch(() => undefined);
  if (names === undefined) return filesWith(directory, letters);
  for (const name of names) {
    const content = await readFile(join(directory, name)).catch(() => Buffer.alloc(0));
    if (holds(content, wanted)) found.push(name);
  }
  return found;
}

const frameMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

function holds(content: Buffer, wanted: Buffer): boolean {
  if (content.includes(wanted)) return true;
  for (let at = content.indexOf(frameMagic); at >= 0; at = content.indexOf(frameMagic, at + 1)) {
    if (frameAt(content, at).includes(wanted)) return true;
  }
  return false;
}

/** Content of the compressed frame that begins there; four such bytes may also be anything else. */
function frameAt(content: Buffer, at: number): Buffer {
  try {
    return zstdDecompressSync(content.subarray(at));
  } catch {
    return Buffer.alloc(0);
  }
}
