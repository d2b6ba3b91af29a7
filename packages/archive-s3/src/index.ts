/** Archives in a bucket. */
export { s3Store } from "./s3-store.ts";
export { s3OptionsOf } from "./s3-address.ts";
export type { S3Credentials, S3Options } from "./s3-options.ts";
