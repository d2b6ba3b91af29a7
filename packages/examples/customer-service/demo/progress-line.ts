/** A line that is drawn over and over on a terminal; elsewhere a few plain lines. */
import type { WriteStream } from "node:tty";

export interface ProgressLine {
  show(answered: number, escalated: number): void;
  clear(): void;
}

export function progressLine(
  stream: NodeJS.WriteStream | WriteStream,
  total: number,
): ProgressLine {
  let shownPercent = -1;
  return {
    show(answered, escalated) {
      const percent = Math.floor((100 * (answered + escalated)) / total);
      if (percent === shownPercent) return;
      if (!stream.isTTY && percent < shownPercent + 25) return;
      shownPercent = percent;
      const text = `handled    ${bar(percent)} ${String(percent).padStart(3)} %  ${answered} answered, ${escalated} escalated`;
      stream.write(
        stream.isTTY ? `\r${text.slice(0, (stream.columns ?? 80) - 1)}\x1b[K` : `${text}\n`,
      );
    },
    clear() {
      if (stream.isTTY) stream.write("\r\x1b[K");
    },
  };
}

const barWidth = 24;

function bar(percent: number): string {
  const full = Math.round((barWidth * percent) / 100);
  return "#".repeat(full).padEnd(barWidth, ".");
}
