/**
 * Signed requests to a bucket. What gets no answer, or one that says to come again, is tried again
 * with a pause that grows; then the outcome is unknown.
 */
import { AwsV4Signer } from "aws4fetch";
import { ArchiveRefusedError, ArchiveUnavailableError } from "@troupe/core/errors";
import type { TroupeError } from "@troupe/core";
import { createHash } from "node:crypto";

import type { S3Settings } from "./s3-options.ts";

export interface S3Request {
  readonly method: "GET" | "PUT" | "DELETE";
  /** Of the object, without the settings' prefix; empty for the bucket itself. */
  readonly name: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

export interface S3Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** So often the same, and nothing wrong with it: what a caller must handle. */
const answers: ReadonlySet<number> = new Set([200, 204, 206, 404, 412, 416]);
/** 409: two conditional writes of one name at once. */
const again: ReadonlySet<number> = new Set([408, 409, 425, 429, 500, 502, 503, 504]);
const firstPauseMs = 50;
const pauseMsMax = 5000;

/**
 * The answer to a request, if it is one of those that are handled. @throws ArchiveUnavailableError,
 * ArchiveRefusedError
 */
export async function s3Request(settings: S3Settings, request: S3Request): Promise<S3Answer> {
  for (let attempt = 1; ; attempt += 1) {
    request.signal?.throwIfAborted();
    const outcome = await attempted(settings, request);
    if (!(outcome instanceof Error)) return outcome;
    if (!outcome.retryable || attempt >= settings.attemptsMax) throw outcome;
    const pauseMs = Math.min(pauseMsMax, firstPauseMs * 2 ** attempt) * (0.5 + Math.random());
    await pause(pauseMs, request.signal);
  }
}

async function attempted(
  settings: S3Settings,
  request: S3Request,
): Promise<S3Answer | TroupeError> {
  const signals = [AbortSignal.timeout(settings.requestTimeoutMs), request.signal];
  const signal = AbortSignal.any(signals.filter((each) => each !== undefined));
  try {
    const { headers, method, url } = await signed(settings, request);
    const body = request.body === undefined ? null : Buffer.from(request.body);
    const response = await fetch(url, { method, headers, body, signal, redirect: "manual" });
    const answer = { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
    return answers.has(answer.status) && !isNoBucket(answer)
      ? answer
      : refusal(settings, request, answer);
  } catch (cause) {
    request.signal?.throwIfAborted();
    if (cause instanceof TypeError || (cause as Error).name === "TimeoutError") {
      return unavailable(settings, request, why(cause as Error), cause);
    }
    throw cause;
  }
}

async function signed(
  settings: S3Settings,
  { body, headers = {}, method, name, query = {} }: S3Request,
): ReturnType<AwsV4Signer["sign"]> {
  const path = name === "" ? "" : encodedPath(settings.prefix + name);
  const url = new URL(`${settings.url}/${path}`);
  for (const [parameter, value] of Object.entries(query)) url.searchParams.set(parameter, value);
  const digest = createHash("sha256")
    .update(body ?? "")
    .digest("hex");
  const { accessKeyId, secretAccessKey, sessionToken } = await settings.credentials();
  return new AwsV4Signer({
    url: url.href,
    method,
    headers: { ...headers, "x-amz-content-sha256": digest },
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    service: "s3",
    region: settings.region,
  }).sign();
}

/** Name with everything but letters, digits and `-_.~` encoded, as the signature wants it. */
function encodedPath(name: string): string {
  return name
    .split("/")
    .map((part) => encodeURIComponent(part).replaceAll(/[!'()*]/g, percent))
    .join("/");
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** 404 is also said of a bucket. */
function isNoBucket({ body, status }: S3Answer): boolean {
  return status === 404 && body.includes("NoSuchBucket");
}

function refusal(settings: S3Settings, request: S3Request, answer: S3Answer): TroupeError {
  const { body, status } = answer;
  const text = body.subarray(0, 2000).toString();
  const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1];
  const message = /<Message>([^<]*)<\/Message>/.exec(text)?.[1];
  const said = [String(status), code, message].filter(Boolean).join(" ");
  if (again.has(status)) return unavailable(settings, request, said);
  return new ArchiveRefusedError(
    `The bucket ${settings.bucket} refused ${described(request)}: ${said}. Look at the credentials, the region and the bucket's rights.`,
    { details: { bucket: settings.bucket, object: request.name, status, serverCode: code } },
  );
}

function unavailable(
  { attemptsMax, bucket }: S3Settings,
  request: S3Request,
  said: string,
  cause?: unknown,
): TroupeError {
  return new ArchiveUnavailableError(
    `The bucket ${bucket} gave no answer to ${described(request)} (${said}), tried ${attemptsMax} times.`,
    { details: { bucket, object: request.name }, cause },
  );
}

function described({ method, name }: S3Request): string {
  return `${method} ${name === "" ? "of its list" : name}`;
}

function why(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const onAbort = (): void => {
    clearTimeout(timer);
    resolve();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  return promise.finally(() => signal?.removeEventListener("abort", onAbort));
}
