/** Numbers and times as people read them. */

const decimal = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** 12345 as `12,345`. */
export function count(value: number): string {
  return decimal.format(value);
}

/** `1 turn`, `1,200 turns`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** `950 B`, `1.2 kB`, `34 MB`, `5.6 GB`: powers of a thousand. */
export function bytes(value: number): string {
  let [rest, unit] = [value, 0];
  while (rest >= 999.5 && unit < byteUnits.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${unit === 0 || rest >= 99.5 ? Math.round(rest) : Number(rest.toPrecision(2))} ${byteUnits[unit]}`;
}

const byteUnits = ["B", "kB", "MB", "GB", "TB"];

/** `0.42 ms`, `12 ms`, `3.1 s`, `4 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(2))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Local time of day, `16:04:05.123`; without the milliseconds when `short`. */
export function timeOfDay(ms: number, options: { readonly short?: boolean } = {}): string {
  const date = new Date(ms);
  const part = (value: number, digits = 2): string => String(value).padStart(digits, "0");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((value) => part(value));
  const text = time.join(":");
  return options.short === true ? text : `${text}.${part(date.getMilliseconds(), 3)}`;
}

/** Local date and time, `2026-11-22 16:04:05`; without the year and the seconds when `short`. */
export function dateAndTime(ms: number, options: { readonly short?: boolean } = {}): string {
  const date = new Date(ms);
  const [month, day] = [date.getMonth() + 1, date.getDate()].map((part) =>
    String(part).padStart(2, "0"),
  );
  const time = timeOfDay(ms, { short: true });
  if (options.short === true) return `${month}-${day} ${time.slice(0, 5)}`;
  return `${date.getFullYear()}-${month}-${day} ${time}`;
}
