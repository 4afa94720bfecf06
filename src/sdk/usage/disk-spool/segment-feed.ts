import { join } from "node:path";
import { type Batch, type BatchLimits, oldestOf, type Since } from "../batch.ts";
import { type Listeners, tell } from "../notices.ts";
import { fileNameOf } from "./segment-name.ts";
import { linesOf, SentSegment } from "./sent-segment.ts";
import { isMissing, type SpoolFiles } from "./spool-files.ts";

/** A complete segment, or one whose owner has ended. */
export interface ReadySegment {
  readonly id: string;
  readonly fileName: string;
  readonly since: Since;
}

export interface FeedParts {
  readonly folder: string;
  readonly owner: string;
  readonly files: SpoolFiles;
  readonly listeners: Listeners;
  /** Every event of the segment was answered. */
  readonly onDone: (segment: SentSegment) => void;
}

/** The segments that are sent, or will be: one after the other, the oldest first. */
export class SegmentFeed {
  readonly #parts: FeedParts;
  readonly #sending = new Set<SentSegment>();
  #ready: ReadySegment[] = [];
  /** Of those that are ready; kept, since it is asked for often and they may be a thousand. */
  #oldestReady: Since | undefined;
  /** The one whose events are given out. */
  #current: SentSegment | undefined;
  #loading: Since | undefined;

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  get oldest(): Since | undefined {
    const unanswered = this.inHand.filter(({ isDone }) => !isDone);
    return oldestOf([this.#loading, this.#oldestReady, ...unanswered.map(({ since }) => since)]);
  }

  /** Those whose files have our name. */
  get inHand(): readonly SentSegment[] {
    return [...this.#sending];
  }

  knows(id: string): boolean {
    return this.#ready.some((ready) => ready.id === id) || this.inHand.some((sent) => sent.id === id);
  }

  add(segments: readonly ReadySegment[]): void {
    this.#ready.push(...segments);
    this.#ready.sort((left, right) => (left.id < right.id ? -1 : 1));
    this.#oldestReady = oldestOf([this.#oldestReady, ...segments.map(({ since }) => since)]);
  }

  take(limits: BatchLimits): Batch | undefined {
    return this.#current?.take(limits);
  }

  /** Makes the oldest segment that can be had the one whose events are given out. */
  async load(): Promise<void> {
    for (let next = this.#ready.shift(); next !== undefined; next = this.#ready.shift()) {
      this.#loading = next.since;
      this.#oldestReady = oldestOf(this.#ready.map(({ since }) => since));
      const loaded = await this.#open(next);
      this.#loading = undefined;
      if (loaded === undefined) continue;
      this.#current = loaded;
      this.#sending.add(loaded);
      return;
    }
  }

  forget(segment: SentSegment): void {
    this.#sending.delete(segment);
  }

  /** Undefined when somebody else has it, or nothing is in it; what could not be read is found again later. */
  async #open({ id, fileName, since }: ReadySegment): Promise<SentSegment | undefined> {
    const { folder, owner, files, listeners, onDone } = this.#parts;
    const path = join(folder, fileNameOf({ id, state: "sending", owner }));
    try {
      await files.rename(join(folder, fileName), path);
      const { texts, damaged } = linesOf(await files.read(path));
      if (damaged > 0) {
        const detail = `${damaged} lines of a segment hold no event: they were being written when their writer ended`;
        tell(listeners.onProblem, { code: "spool_damaged", detail, count: damaged });
      }
      const segment = new SentSegment({ id, path, texts, since }, onDone);
      if (texts.length > 0) return segment;
      onDone(segment);
    } catch (error) {
      if (isMissing(error)) return undefined;
      const detail = `${fileName} cannot be sent: ${error instanceof Error ? error.message : String(error)}`;
      tell(listeners.onProblem, { code: "spool_unreadable", detail, count: 0 });
    }
    return undefined;
  }
}
