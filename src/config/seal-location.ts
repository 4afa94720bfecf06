import { resolve } from "node:path";
import { z } from "zod";
import type { SealLocation } from "../db/seals/seal-store.ts";
import { ConfigurationError } from "./configuration-error.ts";

const file = /^file:(?:\/\/)?(?<path>.+)$/;
const bucket = /^s3:\/\/(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(?<prefix>[\w!.*'()/-]*))?$/;

/** `file:PATH` or `s3://BUCKET/PREFIX`. */
export const sealUrl = z.string().refine((text) => file.test(text) || bucket.test(text), {
  error: "must look like file:PATH or s3://BUCKET/PREFIX",
});

interface SealVariables {
  readonly LEDGER_SEALS?: string | undefined;
  readonly AWS_REGION?: string | undefined;
  readonly AWS_ENDPOINT_URL_S3?: string | undefined;
  readonly AWS_ACCESS_KEY_ID?: string | undefined;
  readonly AWS_SECRET_ACCESS_KEY?: string | undefined;
  readonly AWS_SESSION_TOKEN?: string | undefined;
}

/** Where the copy of the ledger's seals is kept; undefined when nobody has said. */
export function sealSection(values: SealVariables, folder: string): SealLocation | undefined {
  return storageLocation(values.LEDGER_SEALS ?? "", values, folder);
}

/**
 * A file or folder, or a bucket; undefined when the text is neither. What Amazon's variables say matters for a bucket alone.
 * @param folder from where a relative path counts
 */
export function storageLocation(
  text: string,
  values: SealVariables,
  folder: string,
): SealLocation | undefined {
  const { AWS_REGION: region, AWS_ENDPOINT_URL_S3: endpoint } = values;
  const path = file.exec(text)?.groups?.path;
  if (path !== undefined) return { kind: "file", path: resolve(folder, path) };
  const named = bucket.exec(text)?.groups;
  if (named?.bucket === undefined) return undefined;
  if (region === undefined) throw missing("AWS_REGION", `give the region of the bucket of ${text}`);
  const prefix = (named.prefix ?? "").replaceAll(/^\/+|\/+$/g, "");
  return {
    kind: "bucket",
    bucket: named.bucket,
    prefix,
    region,
    endpoint,
    credentials: credentialsOf(values),
  };
}

function credentialsOf(values: SealVariables) {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = values;
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  const together = "give both parts of the access key, or neither to use the machine's role";
  if (accessKeyId === undefined) throw missing("AWS_ACCESS_KEY_ID", together);
  if (secretAccessKey === undefined) throw missing("AWS_SECRET_ACCESS_KEY", together);
  const { AWS_SESSION_TOKEN: sessionToken } = values;
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

const missing = (variable: string, what: string) =>
  new ConfigurationError([{ variable, message: `is not set: ${what}` }]);
