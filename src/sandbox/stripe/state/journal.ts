import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Commit } from "./account.ts";

/**
 * An append-only file of commits, one JSON line each. A line is written before the reply is sent, so what a
 * client was told survives `kill -9` of this process (a power cut is not what is being simulated: no fsync).
 */
export type Journal = { append(commit: Commit): void; close(): void };

/** Opens the journal and hands every whole commit in it to `replay`. A torn last line is cut off. */
export function openJournal(path: string, replay: (commit: Commit) => void): Journal {
  mkdirSync(dirname(path), { recursive: true });
  const wholeBytes = existsSync(path) ? replayFile(path, replay) : 0;
  const file = openSync(path, "a");
  ftruncateSync(file, wholeBytes);
  return {
    append(commit) {
      writeSync(file, `${JSON.stringify(commit)}\n`);
    },
    close() {
      closeSync(file);
    },
  };
}

/** For a stand-in whose state may be lost with its process. */
export const noJournal: Journal = { append() {}, close() {} };

/** Returns the number of bytes up to the end of the last whole line. */
function replayFile(path: string, replay: (commit: Commit) => void): number {
  const bytes = readFileSync(path);
  const wholeBytes = bytes.lastIndexOf("\n") + 1;
  let start = 0;
  while (start < wholeBytes) {
    const end = bytes.indexOf("\n", start);
    replay(JSON.parse(bytes.toString("utf8", start, end)));
    start = end + 1;
  }
  return wholeBytes;
}
