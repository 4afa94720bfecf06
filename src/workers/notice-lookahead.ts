import type { Logger } from "pino";
import type { Database } from "../db/database.ts";
import { tellDueNotices } from "../db/notices/due-notices.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { type RepeatedWork, repeatWork } from "./repeated-work.ts";

export interface NoticeLookaheadOptions {
  readonly db: Database;
  /** The wall's time; who is on a test clock is told when it is moved. */
  readonly now: () => Instant;
  readonly logger: Logger;
  /** Notices are days ahead, so a quarter of an hour is soon enough. */
  readonly everyMs?: number;
}

/**
 * For as long as the worker runs: tells what is ahead of customers, an invoice, the end of a trial or of a card. Any number of
 * workers may do it: what is told has a permanent key.
 */
export function startNoticeLookahead({
  db,
  now,
  logger,
  everyMs = 900_000,
}: NoticeLookaheadOptions): RepeatedWork {
  return repeatWork({
    everyMs,
    logger,
    failing: "what is ahead cannot be looked at; trying again",
    again: "what is ahead is looked at again",
    async work() {
      await tellDueNotices(db, now());
      return false;
    },
  });
}
