import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";

export interface RepeatedWork {
  /** Settles once a turn that is under way has ended. */
  stop(): Promise<void>;
}

export interface RepeatedWorkOptions {
  /** One turn; true when the next may follow at once. */
  readonly work: () => Promise<boolean>;
  /** Between turns, in milliseconds. */
  readonly everyMs: number;
  readonly logger: Logger;
  /** What is logged when a turn fails after one that did not. */
  readonly failing: string;
  /** What is logged when a turn succeeds after one that did not. */
  readonly again: string;
}

/**
 * Repeats some work for as long as the worker runs. A database that is away is waited for: one line when it goes, one when
 * it is back.
 */
export function repeatWork({ work, everyMs, logger, failing, again }: RepeatedWorkOptions): RepeatedWork {
  const stopping = new AbortController();
  let isFailing = false;

  async function turn(): Promise<boolean> {
    try {
      const hasMore = await work();
      if (isFailing) logger.info(again);
      isFailing = false;
      return hasMore;
    } catch (error) {
      if (!isFailing) logger.warn({ err: error }, failing);
      isFailing = true;
      return false;
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (!(await turn())) await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
