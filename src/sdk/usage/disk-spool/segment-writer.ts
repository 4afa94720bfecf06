import { join } from "node:path";
import { oldestOf, type Since } from "../batch.ts";
import { fileNameOf } from "./segment-name.ts";
import type { AppendedFile, SpoolFiles } from "./spool-files.ts";

/** How often a write is done again because somebody took the segment: more would mean that they fight for it. */
const takeoversMax = 3;

export interface WriterParts {
  readonly folder: string;
  readonly owner: string;
  readonly files: SpoolFiles;
  readonly newId: () => string;
  /** Whether a write is only done when it would survive a power cut, and not just the end of the process. */
  readonly isSynced: boolean;
}

/** The segment that is being written. */
interface OpenSegment {
  readonly id: string;
  readonly path: string;
  readonly file: AppendedFile;
  since: Since;
  bytes: number;
  events: number;
}

/** Appends to one segment after the other. Its methods are called one at a time. */
export class SegmentWriter {
  readonly #parts: WriterParts;
  #open: OpenSegment | undefined;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** What is in the segment that is being written; undefined when there is none. */
  get current(): Pick<OpenSegment, "id" | "path" | "since" | "bytes" | "events"> | undefined {
    return this.#open;
  }

  /**
   * Appends lines. When it resolves they are in a segment that this writer owns: whoever takes that over later reads them.
   * @returns the segment's id, and its bytes now
   * @throws what the disk says; nothing of these lines counts as written then
   */
  async append(lines: Uint8Array, events: number, since: Since): Promise<{ id: string; bytes: number }> {
    for (let takeovers = 0; takeovers < takeoversMax; takeovers++) {
      this.#open ??= await this.#begin(since);
      const segment = this.#open;
      await segment.file.append(lines);
      if (this.#parts.isSynced) await segment.file.sync();
      if ((await this.#parts.files.facts(segment.path)) !== undefined) {
        segment.bytes += lines.length;
        segment.events += events;
        // What failed to be sent is written later than what was reported after it.
        segment.since = oldestOf([segment.since, since]) ?? since;
        return { id: segment.id, bytes: segment.bytes };
      }
      // It was taken over while this was written: whoever has it may have read it before. So it is written again, and what
      // is sent twice has the same keys.
      this.#open = undefined;
      await segment.file.close().catch(() => {});
    }
    throw new Error(`the segment was taken over ${takeoversMax} times while it was written`);
  }

  /**
   * Ends the current segment, so that it can be sent.
   * @returns its id; undefined when there is nothing in it
   * @throws what the disk says, for example that somebody has taken it over
   */
  async seal(): Promise<string | undefined> {
    const segment = this.#open;
    if (segment === undefined) return undefined;
    const { folder, files } = this.#parts;
    const { id, path, file, events } = segment;
    this.#open = undefined;
    await file.close().catch(() => {});
    if (events === 0) await files.remove(path);
    else await files.rename(path, join(folder, fileNameOf({ id, state: "ready" })));
    return events === 0 ? undefined : id;
  }

  /** Takes away what a failed write left behind, as far as that is possible, so that the segment can be sealed. */
  async mend(): Promise<void> {
    await this.#open?.file.cut(this.#open.bytes).catch(() => {});
  }

  async #begin(since: Since): Promise<OpenSegment> {
    const { folder, owner, files, newId, isSynced } = this.#parts;
    await files.makeFolder(folder);
    const id = newId();
    const path = join(folder, fileNameOf({ id, state: "writing", owner }));
    const file = await files.create(path);
    if (isSynced) await files.syncFolder(folder);
    return { id, path, file, since, bytes: 0, events: 0 };
  }
}
