import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { bucketClient, isTaken } from "../seals/seal-bucket.ts";
import { type BucketLocation, sealLocationText } from "../seals/seal-store.ts";
import { type ArchiveStore, missing, requireSame } from "./archive-store.ts";

const requestTimeoutMs = 10 * 60_000;

/** Objects that are only ever made (`If-None-Match: *`) and read in ranges. */
export function bucketStore(location: BucketLocation): ArchiveStore {
  const { bucket: Bucket, prefix } = location;
  const client = bucketClient(location, { requestTimeoutMs });
  const keyOf = (name: string) => (prefix === "" ? name : `${prefix}/${name}`);
  const store: ArchiveStore = {
    location: sealLocationText({ kind: "bucket", ...location }),
    async keep(name, path) {
      const { size: ContentLength } = await stat(path);
      const made = { Bucket, Key: keyOf(name), ContentLength, IfNoneMatch: "*" };
      try {
        await client.send(new PutObjectCommand({ ...made, Body: createReadStream(path) }));
      } catch (error) {
        if (!isTaken(error)) throw error;
        await requireSame(store, name, path);
      }
    },
    async read(name) {
      const object = { Bucket, Key: keyOf(name) };
      const { ContentLength = 0 } = await client.send(new HeadObjectCommand(object)).catch((error) => {
        const isMissing = error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404;
        throw isMissing ? missing(store, name) : error;
      });
      return {
        byteLength: ContentLength,
        async slice(start, end = ContentLength) {
          const Range = `bytes=${start}-${end - 1}`;
          const { Body } = await client.send(new GetObjectCommand({ ...object, Range }));
          const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
          return new Uint8Array(bytes).buffer;
        },
      };
    },
  };
  return store;
}
