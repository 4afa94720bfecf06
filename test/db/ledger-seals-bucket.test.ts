import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  LedgerSealBrokenError,
  openSealStore,
  type SealStore,
  sealLedger,
  verifySeals,
} from "../../src/db/seals/ledger-seals.ts";
import { bucketSealStore } from "../../src/db/seals/seal-bucket.ts";
import { type PublishedSeal, rootBeforeTheFirst } from "../../src/db/seals/seal-encoding.ts";
import type { BucketLocation } from "../../src/db/seals/seal-store.ts";
import { verifySealsIn } from "../../src/db/seals/seal-verification.ts";
import { type ObjectStorage, startObjectStorage } from "../support/object-storage.ts";
import { sealAll } from "../support/seals.ts";
import { lookAt, withoutGuards } from "../support/superuser.ts";
import { draft, fees, move, revenue } from "./ledger-fixture.ts";
import { openSealedLedger, type SealedLedger } from "./sealed-ledger.ts";

let storage: ObjectStorage;
let client: S3Client;
let location: BucketLocation;
let store: SealStore;
let ledger: SealedLedger;
let buckets = 0;

beforeAll(async () => {
  storage = await startObjectStorage();
  const common = {
    region: "eu-central-1",
    credentials: { accessKeyId: "writer", secretAccessKey: "secret" },
  };
  client = new S3Client({ ...common, endpoint: storage.endpoint, forcePathStyle: true });
  location = { ...common, endpoint: storage.endpoint, bucket: "", prefix: "reckoner/seals" };
});
afterAll(() => storage.stop());

beforeEach(async () => {
  location = { ...location, bucket: `seals-${++buckets}` };
  const Bucket = location.bucket;
  await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  const Rule = { DefaultRetention: { Mode: "COMPLIANCE", Days: 1 } } as const;
  const ObjectLockConfiguration = { ObjectLockEnabled: "Enabled", Rule } as const;
  await client.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
  store = await openSealStore({ kind: "bucket", ...location });
  ledger = await openSealedLedger();
});
afterEach(() => ledger.close());

async function postAndSeal(...sourceKeys: string[]): Promise<void> {
  for (const sourceKey of sourceKeys) {
    await ledger.post(draft(sourceKey, [move(fees, revenue, 1n)]));
    await sealAll(ledger.db, store);
  }
}

const nameOf = (number: number) => `reckoner/seals/${String(number).padStart(12, "0")}.json`;
const objectOf = (number: number) => ({ Bucket: location.bucket, Key: nameOf(number) });
const findingsNow = async (copy = store) => (await verifySeals(ledger.db, copy)).findings;

/** Of no ledger. */
const seal = (number: number, over: Partial<PublishedSeal> = {}): PublishedSeal => ({
  number,
  previous: rootBeforeTheFirst,
  fromXid: "1",
  toXid: "2",
  rowCount: 1,
  root: rootBeforeTheFirst,
  sealedAt: "1768435200.000000",
  rows: { journal_entry: "1.AAAAAAAAAAAAAAAA" },
  ...over,
});

async function read(from: SealStore): Promise<PublishedSeal[]> {
  const found: PublishedSeal[] = [];
  for await (const each of from.published()) found.push(each);
  return found;
}

test("each seal is an object of its own, and what was changed is named by them", async () => {
  await postAndSeal("one", "two");
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: location.bucket }));
  expect(Contents.map(({ Key }) => Key)).toEqual([nameOf(1), nameOf(2)]);
  expect(await verifySeals(ledger.db, store)).toMatchObject({ findings: [], seals: 2, unsealed: {} });
  const cut = `delete from ledger.journal_entry where source_key = 'two'; delete from ledger.posting where entry_id = 2;
    delete from ledger.seal where number = 2`;
  const { findings } = await lookAt(
    ledger.superuser,
    (tx) => withoutGuards(tx, cut),
    (tx) => verifySealsIn(tx, { store, published: 2 }),
  );
  expect(findings.map(({ table, key }) => `${table} ${key}`)).toEqual([
    "seal 2",
    "journal_entry 2",
    "posting 2/1",
  ]);
});

test("another worker goes on where one has stopped", async () => {
  await postAndSeal("one");
  store = bucketSealStore(location);
  await postAndSeal("two");
  expect(await findingsNow()).toEqual([]);
  expect(await findingsNow(bucketSealStore(location))).toEqual([]);
});

test("nothing is ever written over", async () => {
  await store.append(seal(1));
  await expect(store.append(seal(1)), "our own, when its answer was lost").resolves.toBeUndefined();
  const other = seal(1, { sealedAt: "1768435201.000000" });
  await expect(store.append(other)).rejects.toThrow(LedgerSealBrokenError);
  expect(await read(store)).toEqual([seal(1)]);
});

test("a bucket that was written by another ledger is not added to", async () => {
  await store.append(seal(1));
  await ledger.post(draft("own", [move(fees, revenue, 1n)]));
  await expect(sealLedger(ledger.db, store)).rejects.toThrow(LedgerSealBrokenError);
});

test("what somebody with more rights does to the objects is noticed", async () => {
  await postAndSeal("one", "two", "three");
  await client.send(new DeleteObjectCommand(objectOf(1)));
  const text = JSON.stringify(seal(2));
  await client.send(new PutObjectCommand({ ...objectOf(2), Body: text }));
  await client.send(new PutObjectCommand({ ...objectOf(3), Body: "no seal" }));
  const findings = await findingsNow(bucketSealStore(location));
  expect(findings).toContainEqual({ table: "seal", key: "1", problem: "is missing in the copy", seal: 1 });
  expect(findings).toContainEqual(
    expect.objectContaining({ table: "seal", key: "2", problem: "was changed", column: "root" }),
  );
  const late = (await verifySeals(ledger.db, bucketSealStore(location), 0)).findings;
  expect(late).toContainEqual({ table: "seal", key: "3", problem: "is missing in the copy", seal: 3 });
});

test("the last of many is found, and all are read in order, page by page", async () => {
  expect(await store.last()).toBeNull();
  expect(await read(store)).toEqual([]);
  const numbers = Array.from({ length: 45 }, (_, index) => index + 1);
  await Promise.all(numbers.map((number) => store.append(seal(number))));
  await client.send(new DeleteObjectCommand(objectOf(33)));
  const fresh = bucketSealStore(location, { objectsPerPage: 10 });
  expect((await fresh.last())?.number).toBe(45);
  expect((await read(fresh)).map(({ number }) => number)).toEqual(numbers.filter((number) => number !== 33));
});

test("a bucket that is not there is said", async () => {
  const nowhere = bucketSealStore({ ...location, bucket: "no-such-bucket" });
  await expect(nowhere.last()).rejects.toThrow("The specified bucket does not exist");
});
