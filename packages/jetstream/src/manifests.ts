/**
 * Manifests: JSON in the control stream, one subject per agent type. They are changed by
 * compare-and-set, because an old and a new version of the code may register at the same moment and
 * neither may hide what the other handles (I15).
 */
import { LogUnavailableError } from "@troupe/core/errors";
import { grownManifest, isSameManifest, shrunkManifest } from "@troupe/core/log";
import type { Manifest, ManifestNames, ReadOptions } from "@troupe/core/log";

import { getLast } from "./direct-get.ts";
import { headerLine } from "./header-block.ts";
import { behind, leaderGet } from "./leader-get.ts";
import { isConflict, publishError } from "./publish-error.ts";
import { publish } from "./publish.ts";
import { fieldsOf, readable, type RecordKind } from "./readable.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";

/** Adds names to a type's manifest; returns what it says then. */
export async function registerManifest(session: Session, added: Manifest): Promise<Manifest> {
  const grow = (known: Manifest | undefined): Manifest => grownManifest(known, added);
  return (await change(session, added.type, grow)) ?? added;
}

/** Takes names away from a type's manifest; undefined when there is none. */
export function forgetNames(
  session: Session,
  type: string,
  names: Partial<ManifestNames>,
): Promise<Manifest | undefined> {
  return change(session, type, (known) => known && shrunkManifest(known, names));
}

export function loadManifest(
  session: Session,
  type: string,
  { firm = false, signal }: ReadOptions = {},
): Promise<Manifest | undefined> {
  const { controlStream } = session.subjects;
  const subject = session.subjects.manifest(type);
  const attempt = async (): Promise<Manifest | undefined> => {
    const there = firm
      ? await leaderGet(session, controlStream, { last_by_subj: subject })
      : undefined;
    const { manifest, revision } = await read(session, type);
    if (there !== undefined && revision < there.seq) throw behind(controlStream, there.seq);
    return manifest;
  };
  return retryUnavailable(attempt, { timeoutMs: session.acceptTimeoutMs, signal });
}

interface StoredManifest {
  readonly manifest: Manifest | undefined;
  /** 0 when there is none. */
  readonly revision: number;
}

async function read(session: Session, type: string): Promise<StoredManifest> {
  const { subjects } = session;
  const stored = await getLast(session, subjects.controlStream, subjects.manifest(type));
  if (stored === undefined) return { manifest: undefined, revision: 0 };
  const manifest = readable(session, stored, manifestKind(session));
  return { manifest, revision: stored.position };
}

/** A worker that registers writes over one that nobody can read. */
export function manifestKind({ subjects }: Session): RecordKind<Manifest> {
  return {
    name: "manifest",
    consequence: "The next worker that hosts the type writes it anew.",
    valueOf: (json, subject) => {
      const manifest = manifestOf(json);
      const isThere = manifest !== undefined && subjects.manifest(manifest.type) === subject;
      return isThere ? manifest : undefined;
    },
  };
}

function manifestOf(json: unknown): Manifest | undefined {
  const { events, messages, since, topics, type, version } = fieldsOf(json);
  if (typeof type !== "string" || typeof version !== "string") return undefined;
  if (!isNames(messages) || !isNames(topics) || !isNames(events)) return undefined;
  const names = { type, messages, topics, events, version };
  if (since === undefined) return names;
  return isBeginnings(since) ? { ...names, since } : undefined;
}

/** Without them every subscription would begin anew, after what came in the meantime. */
function isBeginnings(value: unknown): value is NonNullable<Manifest["since"]> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((each) => {
    const { atMs, position } = fieldsOf(each);
    return Number.isSafeInteger(position) && Number.isFinite(atMs);
  });
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === "string");
}

/**
 * Writes the changed manifest, if it changed; a write that was refused because somebody else was
 * first, or because the read came from a replica that is behind, is decided again.
 */
function change(
  session: Session,
  type: string,
  become: (known: Manifest | undefined) => Manifest | undefined,
): Promise<Manifest | undefined> {
  const subject = session.subjects.manifest(type);
  const attempt = async (): Promise<Manifest | undefined> => {
    const { manifest, revision } = await read(session, type);
    const next = become(manifest);
    if (next === undefined || isSameManifest(manifest, next)) return next;
    const lines = headerLine("Nats-Expected-Last-Subject-Sequence", revision);
    const payload = Buffer.from(JSON.stringify(next));
    const { error } = await publish(session, { subject, lines, payload });
    if (error === undefined) return next;
    if (!isConflict(error)) throw publishError(error, `The manifest of ${type}`);
    throw new LogUnavailableError(
      `The manifest of ${type} changed at the same moment, again and again: try again.`,
      { details: { type } },
    );
  };
  return retryUnavailable(attempt, { timeoutMs: session.acceptTimeoutMs });
}
