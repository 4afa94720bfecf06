import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { type PublishedSeal, readPublishedSeal } from "./seal-encoding.ts";
import { type BucketLocation, LedgerSealBrokenError, type SealStore } from "./seal-store.ts";

export function bucketClient(
  { region, endpoint, credentials }: BucketLocation,
  { requestTimeoutMs: requestTimeout }: { readonly requestTimeoutMs: number },
): S3Client {
  return new S3Client({
    region,
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 3_000, requestTimeout, throwOnRequestTimeout: true },
    // Storages other than Amazon's seldom have a host name for each bucket.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    ...(credentials !== undefined && { credentials }),
  });
}

/** Objects that are read ahead, so that verification does not wait for each. */
const readsAtOnce = 8;

/**
 * Seals as objects of a bucket, one each, which are only ever made and never written over. What keeps others from doing so
 * is the bucket: docs/seals.md says how to set it up. An object that is no seal counts as missing.
 */
export function bucketSealStore(
  location: BucketLocation,
  { objectsPerPage = 1_000 }: { readonly objectsPerPage?: number } = {},
): SealStore {
  const { bucket: Bucket, prefix } = location;
  // Whoever publishes holds a database transaction meanwhile, which must not wait for long.
  const client = bucketClient(location, { requestTimeoutMs: 10_000 });
  const folder = prefix === "" ? "" : `${prefix}/`;
  // Of one length, so that the storage's order, by name, is that of the numbers.
  const nameOf = (number: number) => `${folder}${String(number).padStart(12, "0")}.json`;
  const numberOf = (name: string) => Number(/^(\d{12})\.json$/.exec(name.slice(folder.length))?.[1] ?? 0);

  async function numbersAfter(number: number, most: number): Promise<number[]> {
    const query = { Bucket, Prefix: folder, StartAfter: nameOf(number), MaxKeys: most };
    const { Contents = [] } = await client.send(new ListObjectsV2Command(query));
    return Contents.map(({ Key = "" }) => numberOf(Key)).filter((found) => found > 0);
  }

  async function textOf(number: number): Promise<string> {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: nameOf(number) }));
    return (await Body?.transformToString()) ?? "";
  }

  async function readSeal(number: number): Promise<PublishedSeal | null> {
    const seal = readPublishedSeal(await textOf(number));
    return seal?.number === number ? seal : null;
  }

  let last = 0;
  return {
    async *published() {
      for (let after = 0; ; ) {
        const numbers = await numbersAfter(after, objectsPerPage);
        for await (const seal of readAhead(numbers, readSeal)) if (seal !== null) yield seal;
        if (numbers.length === 0) return;
        after = numbers.at(-1) ?? after;
      }
    },
    async last() {
      // In ever longer steps, and shorter ones once a step goes too far: some fifty questions for millions of objects.
      for (let step = 1; step >= 1; ) {
        const [found] = await numbersAfter(last + step - 1, 1);
        last = found ?? last;
        step = found === undefined ? step / 2 : step * 2;
      }
      // An object that is no seal has a number all the same, and nothing fits on top of it.
      return last === 0 ? null : { number: last, root: (await readSeal(last))?.root ?? "" };
    },
    async append(seal) {
      const text = JSON.stringify(seal);
      const made = { Bucket, Key: nameOf(seal.number), Body: text, IfNoneMatch: "*" };
      try {
        await client.send(new PutObjectCommand({ ...made, ContentType: "application/json" }));
      } catch (error) {
        if (!isTaken(error)) throw error;
        // By our own try whose answer was lost, perhaps.
        if ((await textOf(seal.number)) !== text) {
          throw new LedgerSealBrokenError(
            `another seal ${seal.number} is published already: run npm run ledger:verify`,
          );
        }
      }
    },
  };
}

/** Whoever writes what is there already is told so (`If-None-Match: *`). */
export const isTaken = (error: unknown) =>
  error instanceof S3ServiceException && [409, 412].includes(error.$metadata.httpStatusCode ?? 0);

/** The results in the order of the numbers, some of them asked for before they are needed. */
async function* readAhead<Read>(
  numbers: readonly number[],
  read: (number: number) => Promise<Read>,
): AsyncGenerator<Read> {
  const under: Promise<Read>[] = [];
  for (const number of numbers) {
    const reading = read(number);
    reading.catch(() => {}); // it is thrown where it is awaited
    under.push(reading);
    const first = under.length === readsAtOnce ? under.shift() : undefined;
    if (first !== undefined) yield await first;
  }
  for (const each of under) yield await each;
}
