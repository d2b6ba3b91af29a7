/**
 * Filters with which a partition's reader asks the server: for all inputs of the partition, or only
 * for those that somebody wants.
 *
 * A consumer with one filter costs the server least. One with several costs the same as long as it
 * is near the end of the stream, but far behind it the server looks through all subjects of a block
 * for each message: 350 to 450 µs, where one filter takes 17 (DESIGN.md, "Reading"). So:
 *
 *  SCOPE-1 Inputs that one filter can name are asked for, always.
 *  SCOPE-2 Inputs that take several filters are asked for near the end, when others are there;
 *          until then the whole partition is read, and the engine passes over those that nobody
 *          wants.
 *  SCOPE-3 A reader that falls behind asks for the whole partition again.
 *  SCOPE-4 A server that would lose messages of several filters when the subject of one is purged
 *          is never asked for several.
 */
import type { Link } from "./link.ts";
import { compareVersions, severalFiltersVersion } from "./server/binary/server-version.ts";
import { restStart, type Subjects } from "./subjects.ts";

/** Source of a reader, and the types and topics whose inputs it wants. */
export interface ReaderDemand {
  readonly source: number;
  /** Absent with `topics`: everything. */
  readonly types?: readonly string[] | undefined;
  readonly topics?: readonly string[] | undefined;
}

/** Whether the server that we are connected to may be asked for several filters (SCOPE-4). */
export function takesSeveralFilters({ connection }: Pick<Link, "connection">): boolean {
  return compareVersions(connection.info?.version ?? "", severalFiltersVersion) >= 0;
}

export class ReaderScope {
  readonly #subjects: Subjects;
  readonly #filtersMax: number;
  readonly #all: readonly string[];
  readonly #wanted: readonly string[];
  /** `agent.account`, `topic.news` */
  readonly #names: ReadonlySet<string>;
  #isNarrow: boolean;
  /** The last messages, and the number of these that nobody wanted. */
  #seen = 0;
  #unwanted = 0;

  /** @param takesSeveral whether the server may be asked for several filters */
  constructor(subjects: Subjects, { source, topics, types }: ReaderDemand, takesSeveral: boolean) {
    this.#subjects = subjects;
    this.#filtersMax = takesSeveral ? filtersMax : 1;
    this.#all = [subjects.partition(source)];
    const agents = (types ?? []).map((name) => ["agent", name] as const);
    const published = (topics ?? []).map((name) => ["topic", name] as const);
    const wanted = types === undefined && topics === undefined ? [] : [...agents, ...published];
    this.#wanted = wanted.map(([kind, name]) => subjects.partitionOf(source, kind, name));
    this.#names = new Set(wanted.map(([kind, name]) => `${kind}.${name}`));
    this.#isNarrow = wanted.length === 1;
  }

  get filters(): readonly string[] {
    return this.#isNarrow ? this.#wanted : this.#all;
  }

  /** A message came; true when other filters are better from now on. */
  received(subject: string, pending: number): boolean {
    const { length } = this.#wanted;
    if (length < 2 || length > this.#filtersMax) return false;
    if (this.#isNarrow) {
      if (pending < farMin) return false;
      this.#isNarrow = false;
      return true;
    }
    this.#seen += 1;
    if (!this.#isWanted(subject)) this.#unwanted += 1;
    if (this.#seen < sample) return false;
    this.#isNarrow = pending <= nearMax && this.#unwanted >= sample * unwantedShare;
    this.#seen = 0;
    this.#unwanted = 0;
    return this.#isNarrow;
  }

  #isWanted(subject: string): boolean {
    const rest = restStart(this.#subjects, subject, "in");
    const kindEnd = subject.indexOf(".", rest);
    return this.#names.has(subject.slice(rest, subject.indexOf(".", kindEnd + 1)));
  }
}

/** More filters are not asked for: the server compares each message with them. */
const filtersMax = 64;
/** Messages after which it is looked at who wants what comes. */
const sample = 128;
/** Below that it is not worth another consumer. */
const unwantedShare = 0.25;
/** Messages of the partition that are left near the end of the stream. */
const nearMax = 256;
/** Wanted ones that are left when a reader has fallen behind. */
const farMin = 4096;
