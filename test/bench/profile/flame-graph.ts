/**
 * A tree of calls as a flame graph in SVG: width is time, what a function calls lies below it, and
 * colours tell whose code it is. The whole name is the tooltip.
 *
 * Source of the form: Brendan Gregg, "The Flame Graph", Communications of the ACM 59 (6), 2016;
 * this one hangs from the top.
 */
import type { Area, Call } from "./call-tree.ts";
import { byArea } from "./call-tree.ts";

const width = 1200;
const rowHeight = 17;
const head = 58;
/** Narrower ones cannot be seen, and are most of the tree. */
const pixelsMin = 0.7;
const letterPixels = 6.2;

const colours: Readonly<Record<Area, string>> = {
  engine: "#5b9bd5",
  log: "#6fbf73",
  "NATS client": "#e6a23c",
  msgpack: "#b58bd9",
  "socket writes": "#e06c5f",
  "garbage collection": "#9a9a9a",
  Node: "#c9b458",
  benchmark: "#c8c8c8",
};

export function flameGraph(root: Call, title: string): string {
  const rows: string[] = [];
  const depth = draw(rows, root, { left: 0, depth: 0, usPerPixel: root.totalUs / width });
  const height = head + (depth + 1) * rowHeight + 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-monospace, monospace" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="6" y="20" font-size="14" font-weight="600">${escaped(title)}</text>`,
    ...legend(root),
    ...rows,
    "</svg>",
    "",
  ].join("\n");
}

interface FramePlace {
  /** Pixels. */
  readonly left: number;
  readonly depth: number;
  readonly usPerPixel: number;
}

/** Returns the depth of what is below it. */
function draw(rows: string[], call: Call, { depth, left, usPerPixel }: FramePlace): number {
  const pixels = call.totalUs / usPerPixel;
  const y = head + depth * rowHeight;
  const label = shortened(call.name, pixels);
  rows.push(
    `<g><title>${escaped(call.name)}: ${(call.totalUs / usPerPixel / (width / 100)).toFixed(1)} %</title>` +
      `<rect x="${round(left)}" y="${y}" width="${round(Math.max(0.4, pixels - 0.4))}" height="${rowHeight - 1}" fill="${colours[call.area]}"/>` +
      `${label === "" ? "" : `<text x="${round(left + 3)}" y="${y + 12}">${escaped(label)}</text>`}</g>`,
  );
  let deepest = depth;
  let at = left;
  for (const child of [...call.children.values()].toSorted((a, b) => b.totalUs - a.totalUs)) {
    const childPixels = child.totalUs / usPerPixel;
    if (childPixels < pixelsMin) break;
    deepest = Math.max(deepest, draw(rows, child, { left: at, depth: depth + 1, usPerPixel }));
    at += childPixels;
  }
  return deepest;
}

function legend(root: Call): string[] {
  let left = 6;
  return byArea(root).map(([area, us]) => {
    const words = `${area} ${((100 * us) / root.totalUs).toFixed(0)} %`;
    const from = left;
    left += 28 + words.length * 7;
    return `<rect x="${from}" y="32" width="12" height="12" fill="${colours[area]}"/><text x="${from + 17}" y="42">${words}</text>`;
  });
}

function shortened(name: string, pixels: number): string {
  const letters = Math.floor((pixels - 6) / letterPixels);
  if (letters < 3) return "";
  return name.length <= letters ? name : `${name.slice(0, letters - 1)}…`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
