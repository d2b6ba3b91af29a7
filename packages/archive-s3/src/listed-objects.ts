/** A page of a bucket's list, out of the XML it comes in. */

export interface ListPage {
  readonly objects: readonly { readonly name: string; readonly bytes: number }[];
  /** Beginning of the next page; undefined after the last. */
  readonly next: string | undefined;
}

export function listedObjects(xml: string): ListPage {
  const objects = [...xml.matchAll(/<Contents>([^]*?)<\/Contents>/g)].map(([, content = ""]) => ({
    name: textOf(content, "Key") ?? "",
    bytes: Number(textOf(content, "Size")),
  }));
  const rest = xml.replaceAll(/<Contents>[^]*?<\/Contents>/g, "");
  const isCut = textOf(rest, "IsTruncated") === "true";
  return { objects, next: isCut ? textOf(rest, "NextContinuationToken") : undefined };
}

function textOf(xml: string, element: string): string | undefined {
  const text = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
  return text?.replaceAll(
    /&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi,
    (all: string, decimal?: string, hex?: string, named = "") => {
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      return entities[named] ?? all;
    },
  );
}

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  apos: "'",
  gt: ">",
  lt: "<",
  quot: '"',
};
