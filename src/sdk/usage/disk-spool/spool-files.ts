import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, stat, unlink, utimes } from "node:fs/promises";
import { dirname } from "node:path";

/** What the spool does with files, so that a test can let the disk be full. All reject as `node:fs` does. */
export interface SpoolFiles {
  makeFolder(path: string): Promise<void>;
  list(folder: string): Promise<string[]>;
  /** Undefined when there is no such file. */
  facts(path: string): Promise<{ readonly bytes: number; readonly modifiedMs: number } | undefined>;
  /** Makes a new file to append to. */
  create(path: string): Promise<AppendedFile>;
  read(path: string): Promise<string>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Says that somebody is still at it. */
  touch(path: string): Promise<void>;
  /** The names in a folder survive a power cut from then on. */
  syncFolder(folder: string): Promise<void>;
  /** For a process that is ending: all at once. */
  writeSync(path: string, text: string): void;
  renameSync(from: string, to: string): void;
}

export interface AppendedFile {
  append(bytes: Uint8Array): Promise<void>;
  /** What was appended survives a power cut from then on. */
  sync(): Promise<void>;
  /** Takes away what was appended after this many bytes. */
  cut(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** What is reported may be confidential: only the account that wrote it can read it. */
const [folderMode, fileMode] = [0o700, 0o600];

export const realFiles: SpoolFiles = {
  makeFolder: async (path) => void (await mkdir(path, { recursive: true, mode: folderMode })),
  list: (folder) => readdir(folder),
  async facts(path) {
    try {
      const { size, mtimeMs } = await stat(path);
      return { bytes: size, modifiedMs: mtimeMs };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },
  create,
  read: (path) => readFile(path, "utf8"),
  rename,
  remove: unlink,
  async touch(path) {
    const now = new Date();
    await utimes(path, now, now);
  },
  async syncFolder(folder) {
    // Not every system opens folders; on those that do not, names are safe when files are.
    const handle = await open(folder).catch(() => undefined);
    await handle?.sync().catch(() => {});
    await handle?.close();
  },
  writeSync(path, text) {
    mkdirSync(dirname(path), { recursive: true, mode: folderMode });
    const file = openSync(path, "wx", fileMode);
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  },
  renameSync,
};

async function create(path: string): Promise<AppendedFile> {
  const file = await open(path, "ax", fileMode);
  return {
    async append(bytes) {
      for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
    },
    sync: () => file.datasync(),
    cut: (bytes) => file.truncate(bytes),
    close: () => file.close(),
  };
}

/** There is no such file: it was never there, or somebody else has taken it. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
