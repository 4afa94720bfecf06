import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, link, mkdir, open, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BillingError } from "../../domain/errors.ts";
import { type SealLocation, sealLocationText } from "../seals/seal-store.ts";

/** What is kept is not what was archived, or is not there. */
export class UsageArchiveDamagedError extends BillingError {
  readonly code = "usage_archive_damaged";
}

/** A file that is kept, to be read in pieces. */
export interface KeptFile {
  readonly byteLength: number;
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

/** Where archived months are kept. A name stands for its content: nothing is ever written over. */
export interface ArchiveStore {
  /** As people know it. */
  readonly location: string;
  /**
   * Durable when it settles. The same content under the same name does nothing.
   * @throws UsageArchiveDamagedError when there is another content under the name
   */
  keep(name: string, path: string): Promise<void>;
  /** @throws UsageArchiveDamagedError when there is none */
  read(name: string): Promise<KeptFile>;
}

/** A folder, or a bucket of an object storage that speaks S3. */
export type ArchiveLocation = SealLocation;

/** The client of object storage is loaded by those alone who use one. */
export async function openArchiveStore(location: ArchiveLocation): Promise<ArchiveStore> {
  if (location.kind === "file") return folderStore(location.path);
  const { bucketStore } = await import("./archive-bucket.ts");
  return bucketStore(location);
}

function folderStore(folder: string): ArchiveStore {
  const store: ArchiveStore = {
    location: sealLocationText({ kind: "file", path: folder }),
    async keep(name, path) {
      const kept = join(folder, name);
      await mkdir(dirname(kept), { recursive: true });
      // It has its name only when it is whole and on the disk; a link is never made over another file.
      const unfinished = `${kept}.${randomUUID()}.part`;
      try {
        await copyFile(path, unfinished);
        await synced(unfinished);
        await link(unfinished, kept);
        await synced(dirname(kept));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        await requireSame(store, name, path);
      } finally {
        await rm(unfinished, { force: true });
      }
    },
    async read(name) {
      const kept = join(folder, name);
      const { size } = await stat(kept).catch((error: NodeJS.ErrnoException) => {
        throw error.code === "ENOENT" ? missing(store, name) : error;
      });
      return { byteLength: size, slice: (start, end = size) => piece(kept, start, end) };
    },
  };
  return store;
}

async function synced(path: string): Promise<void> {
  await using file = await open(path);
  await file.sync();
}

async function piece(path: string, start: number, end: number): Promise<ArrayBuffer> {
  await using file = await open(path);
  const bytes = new Uint8Array(end - start);
  for (let read = 0; read < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, read, bytes.length - read, start + read);
    if (bytesRead === 0) throw new UsageArchiveDamagedError(`${path} ends before byte ${end}`);
    read += bytesRead;
  }
  return bytes.buffer;
}

const bytesPerRead = 8 * 1024 * 1024;

/** SHA-256, in hexadecimal. */
export async function hashOfKept(file: KeptFile): Promise<string> {
  const hash = createHash("sha256");
  for (let start = 0; start < file.byteLength; start += bytesPerRead) {
    const end = Math.min(start + bytesPerRead, file.byteLength);
    hash.update(new Uint8Array(await file.slice(start, end)));
  }
  return hash.digest("hex");
}

/** The same of a file on this machine. */
export async function hashOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(path, { highWaterMark: bytesPerRead })) hash.update(bytes);
  return hash.digest("hex");
}

/** @throws UsageArchiveDamagedError */
export async function requireSame(store: ArchiveStore, name: string, path: string): Promise<void> {
  if ((await hashOfKept(await store.read(name))) === (await hashOfFile(path))) return;
  throw new UsageArchiveDamagedError(`${store.location}/${name} holds something else than its name says`);
}

export const missing = ({ location }: ArchiveStore, name: string) =>
  new UsageArchiveDamagedError(`${location}/${name} is not there`);
