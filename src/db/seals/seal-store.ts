import { appendFile, type FileHandle, open } from "node:fs/promises";
import { BillingError } from "../../domain/errors.ts";
import { type PublishedSeal, readPublishedSeal } from "./seal-encoding.ts";

/** The ledger is not what was sealed: nothing is published on top of it before a person has looked. */
export class LedgerSealBrokenError extends BillingError {
  readonly code = "ledger_seal_broken";
}

/**
 * Where seals are published: somewhere that whoever can change the database cannot change. Appending is all it does;
 * the caller sees to it that one process appends at a time, each number once and in order.
 */
export interface SealStore {
  /** Every seal, by number. */
  published(): AsyncIterable<PublishedSeal>;
  /** The one of the highest number; null when there is none. */
  last(): Promise<Pick<PublishedSeal, "number" | "root"> | null>;
  /** Durable when it returns. */
  append(seal: PublishedSeal): Promise<void>;
}

/** Which store, as the configuration names it. */
export type SealLocation =
  | { readonly kind: "file"; readonly path: string }
  | ({ readonly kind: "bucket" } & BucketLocation);

/** A bucket of an object storage that speaks S3. */
export interface BucketLocation {
  readonly bucket: string;
  /** In front of every object's name, without a slash at its ends; may be empty. */
  readonly prefix: string;
  readonly region: string;
  /** Of a storage other than Amazon's. */
  readonly endpoint: string | undefined;
  /** Undefined: as the machine's role or profile says. */
  readonly credentials:
    | { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
    | undefined;
}

/** The client of object storage is loaded by those alone who use one. */
export async function openSealStore(location: SealLocation): Promise<SealStore> {
  if (location.kind === "file") return fileSealStore(location.path);
  const { bucketSealStore } = await import("./seal-bucket.ts");
  return bucketSealStore(location);
}

/** A location as people know it. */
export const sealLocationText = (location: SealLocation): string =>
  location.kind === "file"
    ? `file:${location.path}`
    : `s3://${[location.bucket, location.prefix].filter((part) => part !== "").join("/")}`;

/**
 * Seals as lines of JSON in a file, which is made when the first is appended. A line that is not a seal (torn by a crash,
 * or tampered with) counts as missing: after a crash it is appended again, otherwise verification misses it.
 */
export function fileSealStore(path: string): SealStore {
  return {
    async *published() {
      for await (const line of linesOf(path)) {
        const seal = readPublishedSeal(line);
        if (seal !== null) yield seal;
      }
    },
    async last() {
      for await (const line of linesFromTheEnd(path)) {
        const seal = readPublishedSeal(line);
        if (seal !== null) return seal;
      }
      return null;
    },
    async append(seal) {
      const line = `${JSON.stringify(seal)}\n`;
      await appendFile(path, (await endsInsideLine(path)) ? `\n${line}` : line, { flush: true });
    },
  };
}

const bytesPerRead = 1024 * 1024;

/** The last line need not have an end: without it, it is whole or no seal. Nothing when there is no file. */
async function* linesOf(path: string): AsyncGenerator<string> {
  await using file = await opened(path);
  if (file === null) return;
  let pieces: Buffer[] = [];
  for await (const read of file.createReadStream({ highWaterMark: bytesPerRead })) {
    let rest: Buffer = read;
    for (let cut = rest.indexOf("\n"); cut >= 0; cut = rest.indexOf("\n")) {
      yield Buffer.concat([...pieces, rest.subarray(0, cut)]).toString();
      pieces = [];
      rest = rest.subarray(cut + 1);
    }
    pieces.push(rest);
  }
  yield Buffer.concat(pieces).toString();
}

/** A file that is written for years need not be read to its beginning. */
async function* linesFromTheEnd(path: string): AsyncGenerator<string> {
  await using file = await opened(path);
  if (file === null) return;
  let { size: start } = await file.stat();
  let rest: Buffer = Buffer.alloc(0);
  while (start > 0) {
    const length = Math.min(bytesPerRead, start);
    start -= length;
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, start);
    rest = Buffer.concat([buffer, rest]);
    for (let cut = rest.lastIndexOf("\n"); cut >= 0; cut = rest.lastIndexOf("\n")) {
      yield rest.subarray(cut + 1).toString();
      rest = rest.subarray(0, cut);
    }
  }
  yield rest.toString();
}

async function endsInsideLine(path: string): Promise<boolean> {
  for await (const line of linesFromTheEnd(path)) return line !== "";
  return false;
}

/** Null when there is none. */
async function opened(path: string): Promise<FileHandle | null> {
  try {
    return await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
