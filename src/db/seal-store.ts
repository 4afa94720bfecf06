import { createReadStream } from "node:fs";
import { appendFile, open } from "node:fs/promises";
import type { Seal } from "./seal-encoding.ts";

/** A seal as it is kept outside the database: with a digest for each entry, so that a changed one can be named. */
export interface PublishedSeal extends Seal {
  /** Id and digest, by id. */
  readonly entries: readonly (readonly [id: string, digest: string])[];
}

/**
 * Where seals are published: somewhere that whoever can change the database cannot change. Appending is all it does;
 * the caller sees to it that one process appends at a time, each number once and in order.
 */
export interface SealStore {
  /** Every seal, by number. */
  published(): AsyncIterable<PublishedSeal>;
  /** The number of the last one; 0 when there is none. */
  lastNumber(): Promise<number>;
  /** Durable when it returns. */
  append(seal: PublishedSeal): Promise<void>;
}

/**
 * Seals as lines of JSON in a file, which is made when the first is appended. A line that is not a seal (torn by a crash,
 * or tampered with) counts as missing: after a crash it is appended again, otherwise verification misses it.
 */
export function fileSealStore(path: string): SealStore {
  let offset = 0;
  let last = 0;
  return {
    async *published() {
      for await (const { seal } of linesOf(path, 0)) if (seal !== null) yield seal;
    },
    async lastNumber() {
      // Only what was appended since the last look: a file that is written for years is read once.
      for await (const { seal, end } of linesOf(path, offset)) {
        offset = end;
        last = seal?.number ?? last;
      }
      return last;
    },
    async append(seal) {
      const line = `${JSON.stringify(seal)}\n`;
      await appendFile(path, (await endsInsideLine(path)) ? `\n${line}` : line, { flush: true });
    },
  };
}

/** The complete lines from a byte offset on, each with the offset after it. Nothing when there is no file. */
async function* linesOf(
  path: string,
  start: number,
): AsyncGenerator<{ seal: PublishedSeal | null; end: number }> {
  let end = start;
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(path, { start })) {
      rest = Buffer.concat([rest, chunk as Buffer]);
      for (let cut = rest.indexOf("\n"); cut >= 0; cut = rest.indexOf("\n")) {
        end += cut + 1;
        yield { seal: parsed(rest.subarray(0, cut).toString()), end };
        rest = rest.subarray(cut + 1);
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function parsed(line: string): PublishedSeal | null {
  try {
    const seal: PublishedSeal = JSON.parse(line);
    return Number.isInteger(seal.number) && Array.isArray(seal.entries) ? seal : null;
  } catch {
    return null;
  }
}

async function endsInsideLine(path: string): Promise<boolean> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size === 0) return false;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer.toString() !== "\n";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
