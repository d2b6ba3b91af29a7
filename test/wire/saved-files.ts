/** The files that a page shows (`save=PATH`), written into a folder. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const saved = /^```\w+ save=(\S+)\n(.*?)^```$/gms;

export async function saveFiles(markdown: string, folder: string): Promise<void> {
  for (const [, path = "", text = ""] of markdown.matchAll(saved)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
