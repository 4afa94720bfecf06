import { join } from "node:path";
import type { ReporterClock } from "../clock.ts";
import { hasCertainlyEnded } from "./owner.ts";
import { parseSegmentName } from "./segment-name.ts";
import type { SpoolFiles } from "./spool-files.ts";

export interface FoundSegment {
  readonly id: string;
  readonly fileName: string;
}

export interface FolderView {
  /** Bytes of every segment, whoever has it, by id. */
  readonly sizes: Map<string, number>;
  /** Those that anybody may send now, the oldest first. */
  readonly free: readonly FoundSegment[];
}

export interface WatchParts {
  readonly folder: string;
  readonly owner: string;
  readonly files: SpoolFiles;
  readonly clock: ReporterClock;
  /** Who has not touched its segment for so long has ended. It is safe to be wrong: see SegmentWriter. */
  readonly staleAfterMs: number;
}

interface Sighting {
  readonly modifiedMs: number;
  readonly atMs: number;
}

/** Looks at a spool's folder, which several processes may share. */
export class FolderWatch {
  readonly #parts: WatchParts;
  /** When each segment of somebody else was last seen to change, by our clock: theirs may be set, or wrong. */
  #seen = new Map<string, Sighting>();

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** @param isHeld whether this process has that segment in hand */
  async look(isHeld: (id: string) => boolean): Promise<FolderView> {
    const { folder, files } = this.#parts;
    await files.makeFolder(folder);
    const sizes = new Map<string, number>();
    const free: FoundSegment[] = [];
    const seen = new Map<string, Sighting>();
    for (const fileName of (await files.list(folder)).sort()) {
      const name = parseSegmentName(fileName);
      const facts = name && (await files.facts(join(folder, fileName)));
      if (name === undefined || facts === undefined) continue;
      const { id } = name;
      sizes.set(id, facts.bytes);
      if (isHeld(id)) continue;
      if (name.state !== "ready" && !this.#isFree(name.owner)) {
        const sighting = this.#sighting(fileName, facts.modifiedMs);
        seen.set(fileName, sighting);
        if (!this.#isStale(sighting)) continue;
      }
      free.push({ id, fileName });
    }
    this.#seen = seen;
    return { sizes, free };
  }

  #isFree(owner: string): boolean {
    // Ours but not in hand: something went wrong with it, and it can be tried again.
    return owner === this.#parts.owner || hasCertainlyEnded(owner);
  }

  #sighting(fileName: string, modifiedMs: number): Sighting {
    const before = this.#seen.get(fileName);
    return before?.modifiedMs === modifiedMs ? before : { modifiedMs, atMs: this.#parts.clock.monotonicMs() };
  }

  #isStale({ atMs }: Sighting): boolean {
    return this.#parts.clock.monotonicMs() - atMs >= this.#parts.staleAfterMs;
  }
}
