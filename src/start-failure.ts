import { sqlState } from "./db/database.ts";

/** Where a program wanted to go, and which variables say so. */
export interface StartPlaces {
  readonly database: { readonly url: string; readonly variable: string };
  /** HOST:PORT; undefined for a program that does without Temporal. */
  readonly temporalAddress?: string;
  /** Undefined for a program that does not listen. */
  readonly listen?: { readonly port: number; readonly variable: string };
}

/** Why a program cannot start and what to do about it, in one line and without the database's password. */
export function startFailure(error: unknown, { database, temporalAddress, listen }: StartPlaces): string {
  const code = codeOf(error);
  const { host, pathname } = new URL(database.url);
  const name = `the database ${host}${pathname}`;
  if (listen && code === "EADDRINUSE") {
    return `port ${listen.port} is taken: stop what uses it, or set ${listen.variable}`;
  }
  if (listen && code === "EACCES") {
    return `port ${listen.port} may not be used: set ${listen.variable} to one above 1023`;
  }
  if (code === "28P01" || code === "28000") return `${name} refuses this user: check ${database.variable}`;
  if (code === "3D000") return `${name} does not exist: check ${database.variable}`;
  if (code === "3F000" || code === "42P01") return `${name} has no tables yet: run npm run migrate`;
  if (isTemporalAway(error)) {
    return `Temporal at ${temporalAddress} cannot be reached: start it, or set TEMPORAL_ADDRESS`;
  }
  if (code !== undefined && /^(ECONN|ENOTFOUND|EAI_AGAIN|CONNECT_TIMEOUT)/.test(code)) {
    return `${name} cannot be reached (${code}): start it, or set ${database.variable}`;
  }
  return `cannot start: ${error instanceof Error ? error.message : String(error)}`;
}

/** Runs the start of a program; when it fails, says why in one line and ends with exit code 1. */
export async function startOrExit(start: () => Promise<void>, places: StartPlaces): Promise<void> {
  try {
    await start();
  } catch (error) {
    process.stderr.write(`${startFailure(error, places)}\n`);
    process.exit(1);
  }
}

function codeOf(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const { code } = current as { code?: unknown };
    if (typeof code === "string") return code;
  }
  return sqlState(error);
}

/** The Temporal client gives up with an error of its own name after some seconds. */
function isTemporalAway(error: unknown): boolean {
  return error instanceof Error && /Failed to connect before the deadline/.test(error.message);
}
