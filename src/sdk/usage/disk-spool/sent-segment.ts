import { Batch, type BatchHome, type BatchLimits, countThatFits, type Since } from "../batch.ts";

interface SegmentContent {
  readonly id: string;
  readonly path: string;
  readonly texts: readonly string[];
  readonly since: Since;
}

/** A segment that is being sent: it is cut into batches, and done when every event in it was answered. */
export class SentSegment implements BatchHome {
  readonly kind = "disk";
  readonly id: string;
  readonly path: string;
  readonly since: Since;
  readonly #onDone: (segment: SentSegment) => void;
  #texts: readonly string[];
  #next = 0;
  #unanswered: number;

  constructor({ id, path, texts, since }: SegmentContent, onDone: (segment: SentSegment) => void) {
    this.id = id;
    this.path = path;
    this.since = since;
    this.#texts = texts;
    this.#unanswered = texts.length;
    this.#onDone = onDone;
  }

  /** The next batch; undefined when all of it has been given out. */
  take(limits: BatchLimits): Batch | undefined {
    if (this.#next >= this.#texts.length) return undefined;
    const to = this.#next + countThatFits(this.#texts, this.#next, limits);
    const texts = this.#texts.slice(this.#next, to);
    this.#next = to;
    // What was given out is in the batches alone.
    if (to >= this.#texts.length) this.#texts = [];
    return new Batch(texts, this.since, this);
  }

  get isDone(): boolean {
    return this.#unanswered === 0;
  }

  release({ texts }: Batch): void {
    this.#unanswered -= texts.length;
    if (this.isDone) this.#onDone(this);
  }
}

/**
 * The events in a segment's text. Its last line may be torn, when its writer was killed while writing it: that one was
 * never acknowledged. `damaged` counts all lines that are no event.
 */
export function linesOf(text: string): { readonly texts: string[]; readonly damaged: number } {
  const lines = text.split("\n");
  const torn = lines.pop() === "" ? 0 : 1;
  const texts = lines.filter(looksWhole);
  return { texts, damaged: torn + lines.length - texts.length };
}

/** After a power cut a file may hold zeros where nothing was written; JSON holds none. */
const looksWhole = (line: string) => line.startsWith("{") && line.endsWith("}") && !line.includes("\u0000");
