/** Options of a bucket: its place, and the credentials of the requests. */
import { DefinitionError } from "@troupe/core/errors";
import { duration, requireOptions } from "@troupe/core/log";
import type { OptionRules } from "@troupe/core/log";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of credentials that end. */
  readonly sessionToken?: string | undefined;
}

export interface S3Options {
  readonly bucket: string;
  /** Begins every object's name, without a slash at its ends: `archives/troupe`. @default none */
  readonly prefix?: string | undefined;
  /** `https://s3.example.com`. @default Amazon S3 in the region */
  readonly endpoint?: string | undefined;
  /** @default AWS_REGION or AWS_DEFAULT_REGION, else "us-east-1" */
  readonly region?: string | undefined;
  /**
   * Asked for each request, so that credentials that end can be renewed: any provider of
   * `@aws-sdk/credential-providers` will do. @default AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
   * AWS_SESSION_TOKEN
   */
  readonly credentials?: S3Credentials | (() => S3Credentials | Promise<S3Credentials>) | undefined;
  /** Longest time of one request, in milliseconds. Minimum 1. @default 30000 */
  readonly requestTimeoutMs?: number | undefined;
  /** Most attempts of a request that gets no answer. Minimum 1. @default 5 */
  readonly attemptsMax?: number | undefined;
  /** Most objects on one page of a list, from 1 to 1000. @default 1000 */
  readonly listPageMax?: number | undefined;
}

/** The options with their defaults. */
export interface S3Settings {
  readonly bucket: string;
  readonly prefix: string;
  /** Of the bucket, without a slash at its end. */
  readonly url: string;
  readonly region: string;
  readonly credentials: () => Promise<S3Credentials>;
  readonly requestTimeoutMs: number;
  readonly attemptsMax: number;
  readonly listPageMax: number;
}

const rules: OptionRules<S3Options> = {
  bucket: "other",
  prefix: "other",
  endpoint: "other",
  region: "other",
  credentials: "other",
  requestTimeoutMs: duration,
  attemptsMax: { least: 1, whole: true },
  listPageMax: { least: 1, most: 1000, whole: true },
};

/** @throws DefinitionError */
export function s3Settings(options: S3Options): S3Settings {
  requireOptions("S3 option ", options, rules);
  const { bucket, credentials, endpoint, prefix = "" } = options;
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw unusable("bucket", bucket);
  if (prefix !== "" && !/^[\w.-]+(\/[\w.-]+)*$/.test(prefix)) throw unusable("prefix", prefix);
  const { AWS_DEFAULT_REGION, AWS_REGION } = process.env;
  const region = options.region ?? AWS_REGION ?? AWS_DEFAULT_REGION ?? "us-east-1";
  return {
    bucket,
    prefix: prefix === "" ? "" : `${prefix}/`,
    url:
      endpoint === undefined
        ? `https://${bucket}.s3.${region}.amazonaws.com`
        : `${checkedEndpoint(endpoint)}/${bucket}`,
    region,
    credentials: async () =>
      typeof credentials === "function" ? credentials() : (credentials ?? fromEnvironment()),
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    attemptsMax: options.attemptsMax ?? 5,
    listPageMax: options.listPageMax ?? 1000,
  };
}

function checkedEndpoint(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isPlain = url?.username === "" && url.search === "" && url.hash === "";
  if (!isPlain || !/^https?:$/.test(url.protocol)) throw unusable("endpoint", endpoint);
  return url.href.replace(/\/+$/, "");
}

/** @throws DefinitionError */
function fromEnvironment(): S3Credentials {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = process.env;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return { accessKeyId, secretAccessKey, sessionToken };
  }
  throw new DefinitionError(
    "There are no credentials for the archive's bucket: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the option credentials.",
  );
}

function unusable(option: string, value: string): DefinitionError {
  const shown = option === "endpoint" ? "" : ` ${JSON.stringify(value)}`;
  return new DefinitionError(
    `S3 option ${option}${shown} is not usable; an endpoint is a URL without credentials or query, a bucket has 3 to 63 lower-case letters, digits, "-" and ".", a prefix has parts between slashes.`,
    { details: { option } },
  );
}
