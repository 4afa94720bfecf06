import { DrizzleQueryError } from "drizzle-orm";
import { type DestinationStream, type Logger, type LoggerOptions, pino } from "pino";

export interface LoggerSettings {
  readonly level: string;
  readonly format: "json" | "pretty";
}

/** Never logged, wherever in a line they are: what opens a door. */
const secretPaths = ["authorization", "secret", "token", "password"].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
]);

/** One JSON object a line, on standard output unless another destination is given; `pretty` is for people at a terminal. */
export function createLogger(
  { level, format }: LoggerSettings,
  name: string,
  destination?: DestinationStream,
): Logger {
  const options: LoggerOptions = {
    name,
    level,
    redact: secretPaths,
    serializers: { err: errorForLog },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  if (format === "pretty") return pino({ ...options, transport: { target: "pino-pretty" } });
  return destination === undefined ? pino(options) : pino(options, destination);
}

/**
 * An error without the values it was about. Drizzle puts the parameters of a failed query into its message, and
 * Postgres the whole row into `detail`: amounts, addresses and hashes have no place in a log.
 */
export function errorForLog(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, constraint_name: constraint } = error as { code?: unknown; constraint_name?: unknown };
  const isQuery = error instanceof DrizzleQueryError;
  return {
    type: error.name,
    message: isQuery ? "query failed" : error.message,
    ...(isQuery ? { query: error.query } : {}),
    ...(code === undefined ? {} : { code }),
    ...(constraint === undefined ? {} : { constraint }),
    stack: framesOf(error),
    ...(error.cause instanceof Error ? { cause: errorForLog(error.cause) } : {}),
  };
}

/** The lines of the stack that name places; the first ones repeat the message. */
function framesOf({ stack = "" }: Error): string {
  return stack
    .split("\n")
    .filter((line) => line.startsWith("    at "))
    .join("\n");
}
