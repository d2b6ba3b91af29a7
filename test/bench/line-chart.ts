/**
 * Line charts as SVG, by hand: panels side by side, both axes logarithmic.
 *
 * Nothing is painted behind a chart and all text is of a middle grey, so that it reads on light and
 * on dark pages. Lines differ in colour, dash and marker.
 */

export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly Line[];
}

export interface Line {
  readonly name: string;
  /** By x, ascending; all above 0, or they have no place on a logarithmic axis. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** The panels as one picture. */
export function lineCharts(charts: readonly LineChart[]): string {
  const panels = charts.map(
    (chart, index) => `<g transform="translate(${index * panel.width} 0)">${drawn(chart)}</g>`,
  );
  const width = charts.length * panel.width;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${panel.height}" width="${width}" height="${panel.height}" font-family="system-ui, sans-serif" font-size="12">`,
    ...panels,
    "</svg>",
    "",
  ].join("\n");
}

const panel = { width: 460, height: 320, left: 66, right: 22, top: 62, bottom: 48 };
const ink = "#777777";
const styles = [
  { colour: "#3b82d6", dash: "" },
  { colour: "#d9772b", dash: "7 4" },
  { colour: "#2f9e5f", dash: "2 4" },
];

interface Scale {
  readonly ticks: readonly number[];
  /** Pixels. */
  place(value: number): number;
}

function drawn(chart: LineChart): string {
  const points = chart.lines.flatMap((line) => line.points);
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  if (points.length === 0) return text(panel.left, 26, chart.title, `font-weight="600"`);
  const x = scaleOf([Math.min(...xs), Math.max(...xs)], [panel.left, panel.width - panel.right]);
  const y = scaleOf(around(ys), [panel.height - panel.bottom, panel.top]);
  return [
    text(panel.left, 22, chart.title, `font-size="14" font-weight="600"`),
    ...x.ticks.map((tick) => xTick(tick, x)),
    ...y.ticks.map((tick) => yTick(tick, y)),
    text(middle(panel.left, panel.width - panel.right), panel.height - 10, chart.xLabel, centred),
    upright(16, middle(panel.top, panel.height - panel.bottom), chart.yLabel),
    ...chart.lines.map((line, index) => lineOf(line, index, x, y)),
    ...legend(chart.lines),
  ].join("\n");
}

function lineOf(line: Line, index: number, x: Scale, y: Scale): string {
  const { colour, dash } = styleOf(index);
  const places = line.points.map(([px, py]) => [round(x.place(px)), round(y.place(py))] as const);
  const path = places.map((place) => place.join(",")).join(" ");
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/>`,
    ...places.map(([px, py]) => marker(index, px, py, colour)),
  ].join("\n");
}

function marker(index: number, x: number, y: number, colour: string): string {
  if (index % 2 === 0) return `<circle cx="${x}" cy="${y}" r="3.5" fill="${colour}"/>`;
  return `<rect x="${round(x - 3)}" y="${round(y - 3)}" width="6" height="6" fill="${colour}"/>`;
}

/** Row below the title; none for a line that says nothing the title does not. */
function legend(lines: readonly Line[]): string[] {
  if (lines.length < 2) return [];
  let left = panel.left;
  return lines.map(({ name }, index) => {
    const { colour, dash } = styleOf(index);
    const from = left;
    left += 44 + name.length * 7;
    return [
      `<line x1="${from}" y1="42" x2="${from + 24}" y2="42" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/>`,
      marker(index, from + 12, 42, colour),
      text(from + 30, 46, name),
    ].join("");
  });
}

function xTick(tick: number, x: Scale): string {
  const at = round(x.place(tick));
  const bottom = panel.height - panel.bottom;
  return `${grid(at, panel.top, at, bottom)}${text(at, bottom + 17, short(tick), centred)}`;
}

function yTick(tick: number, y: Scale): string {
  const at = round(y.place(tick));
  const label = text(panel.left - 8, at + 4, short(tick), `text-anchor="end"`);
  return `${grid(panel.left, at, panel.width - panel.right, at)}${label}`;
}

function grid(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${ink}" stroke-opacity="0.3"/>`;
}

const centred = `text-anchor="middle"`;

function text(x: number, y: number, words: string, more = ""): string {
  return `<text x="${round(x)}" y="${round(y)}" fill="${ink}" ${more}>${escaped(words)}</text>`;
}

function upright(x: number, y: number, words: string): string {
  return text(x, y, words, `${centred} transform="rotate(-90 ${x} ${round(y)})"`);
}

function scaleOf([low, high]: readonly [number, number], [from, to]: readonly number[]): Scale {
  const span = Math.log10(high / low) || 1;
  const [start = 0, end = 0] = [from, to];
  const ticks = roundNumbers(low, high);
  const decades = ticks.filter((tick) => Number.isInteger(Math.log10(tick)));
  return {
    ticks: decades.length >= decadesEnough ? decades : ticks,
    place: (value) => start + ((end - start) * Math.log10(value / low)) / span,
  };
}

/** From so many on they are enough to read by. */
const decadesEnough = 3;

/** The round numbers just outside of these values: a logarithmic axis has no zero to begin at. */
function around(values: readonly number[]): readonly [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const near = roundNumbers(low / 10, high * 10);
  const least = near.findLast((number) => number <= low) ?? low;
  const most = near.find((number) => number >= high && number > least) ?? high;
  return [least, most];
}

/** 1, 2 and 5 of each decade, as far as they are between these. */
function roundNumbers(low: number, high: number): number[] {
  const numbers: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const digit of [1, 2, 5]) numbers.push(Number(`${digit}e${power}`));
  }
  return numbers.filter((number) => number >= low && number <= high);
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e3) return `${value / 1e3}k`;
  return String(value);
}

function styleOf(index: number): (typeof styles)[number] {
  return styles[index % styles.length] ?? { colour: ink, dash: "" };
}

function middle(from: number, to: number): number {
  return (from + to) / 2;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
