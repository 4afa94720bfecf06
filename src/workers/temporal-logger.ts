import { DefaultLogger, type Logger as TemporalLogger } from "@temporalio/worker";
import type { Logger } from "pino";

const levels = { TRACE: "trace", DEBUG: "debug", INFO: "info", WARN: "warn", ERROR: "error" } as const;

/** Temporal's own lines, and those of workflows and activities, in the process's one log. */
export function temporalLogger(logger: Logger): TemporalLogger {
  return new DefaultLogger("INFO", ({ level, message, meta }) => {
    logger[levels[level]](meta ?? {}, message);
  });
}
