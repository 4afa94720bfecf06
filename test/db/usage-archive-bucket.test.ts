import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { archiveMonths, dropArchived } from "../../src/db/usage/archive-months.ts";
import { type ArchiveStore, openArchiveStore } from "../../src/db/usage/archive-store.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { accountingMonth } from "../../src/domain/ledger/accounting-month.ts";
import { type ObjectStorage, startObjectStorage } from "../support/object-storage.ts";
import { foldAll, ingest, openUsage, usageEvent } from "./usage-fixture.ts";

let storage: ObjectStorage;
let client: S3Client;
let store: ArchiveStore;
let folder: string;

const Bucket = "usage-archive";
const prefix = "reckoner/usage";

beforeAll(async () => {
  storage = await startObjectStorage();
  const { endpoint } = storage;
  const common = {
    region: "eu-central-1",
    credentials: { accessKeyId: "writer", secretAccessKey: "secret" },
  };
  client = new S3Client({ ...common, endpoint, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket }));
  store = await openArchiveStore({ kind: "bucket", ...common, endpoint, bucket: Bucket, prefix });
  folder = mkdtempSync(join(tmpdir(), "reckoner-archive-bucket-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await storage.stop();
});

function fileOf(text: string): string {
  const path = join(folder, randomUUID());
  writeFileSync(path, text);
  return path;
}

test("an object is made once, and read in pieces", async () => {
  await store.keep("2024-04/x", fileOf("first content"));
  await store.keep("2024-04/x", fileOf("first content"));
  const damaged = { code: "usage_archive_damaged" };
  await expect(store.keep("2024-04/x", fileOf("other content"))).rejects.toMatchObject(damaged);
  const kept = await store.read("2024-04/x");
  expect(kept.byteLength).toBe("first content".length);
  expect(Buffer.from(await kept.slice(6, 13)).toString()).toBe("content");
  await expect(store.read("2024-04/y")).rejects.toMatchObject(damaged);
});

test("a month goes to the bucket, and is dropped only while it is whole there", async () => {
  const fixture = await openUsage();
  try {
    const events = Array.from({ length: 25 }, (_, index) =>
      usageEvent({ id: `e-${index}`, time: instant("2024-04-15T10:30:00Z") }),
    );
    await ingest(fixture.db, events);
    await foldAll(fixture.db);
    const asked = { before: accountingMonth("2024-06"), by: "tester", eventsPerFile: 10 };
    const [month] = await archiveMonths(fixture.owner, store, asked);
    expect(month?.manifest.files.map(({ events }) => events)).toEqual([10, 10, 5]);
    const [stored] = await fixture.db.sql<[{ manifest: string; events: bigint; archived_by: string }]>`
      select manifest, events, archived_by from usage.archived_month`;
    expect(stored).toMatchObject({ events: 25n, archived_by: "tester" });
    const Key = stored.manifest.slice(`s3://${Bucket}/`.length);
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    expect(JSON.parse((await Body?.transformToString()) ?? "")).toEqual(month?.manifest);

    const object = { Bucket, Key: `${prefix}/${month?.manifest.files[0]?.name}` };
    const whole = await client.send(new GetObjectCommand(object));
    const bytes = (await whole.Body?.transformToByteArray()) ?? "";
    await client.send(new PutObjectCommand({ ...object, Body: "no Parquet" }));
    await expect(dropArchived(fixture.owner, store)).rejects.toMatchObject({ code: "usage_archive_damaged" });
    await client.send(new PutObjectCommand({ ...object, Body: bytes }));
    expect(await dropArchived(fixture.owner, store)).toEqual(["2024-04"]);
  } finally {
    await fixture.close();
  }
});
