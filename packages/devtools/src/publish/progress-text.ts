/** The progress of a publication, fitted to one line: numbers first, the bar gets what is left. */
import { count, duration } from "../terminal/quantities.ts";
import { fit, textWidth } from "../terminal/width.ts";
import type { Tally } from "./tally.ts";

const barWidthMax = 40;
const barWidthMin = 5;

/**
 * `sizeBytes` is undefined when the input's size is unknown; then there is neither bar nor
 * remaining time.
 */
export function progressText(tally: Tally, sizeBytes: number | undefined, width: number): string {
  const { bytesRead, failed, published } = tally;
  const rate = `${count(tally.perSecond)}/s`;
  const bad = failed === 0 ? [] : [`${count(failed)} failed`];
  const done = `${count(published)} published`;
  if (sizeBytes === undefined) return fit([done, ...bad, rate].join(" · "), width);
  const share = sizeBytes === 0 ? 1 : Math.min(1, bytesRead / sizeBytes);
  const text = [done, ...bad, rate, remaining(tally, share)].join(" · ");
  const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
  const room = Math.min(barWidthMax, width - textWidth(text) - textWidth(percent) - 4);
  if (room < barWidthMin) return fit(`${percent}  ${text}`, width);
  return `${bar(share, room)} ${percent}  ${text}`;
}

function bar(share: number, width: number): string {
  const full = Math.round(share * width);
  return "━".repeat(full) + "─".repeat(width - full);
}

function remaining(tally: Tally, share: number): string {
  if (share === 0) return "…";
  return `${duration((tally.seconds * 1000 * (1 - share)) / share)} left`;
}
