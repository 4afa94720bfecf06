import { sqlState } from "../db/database.ts";

export interface StartPlaces {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly port: number;
}

/** Why the server cannot start and what to do about it, in one line and without the database's password. */
export function startFailure(error: unknown, { databaseUrl, temporalAddress, port }: StartPlaces): string {
  const code = codeOf(error);
  const { host, pathname } = new URL(databaseUrl);
  const database = `the database ${host}${pathname}`;
  if (code === "EADDRINUSE") return `port ${port} is taken: stop what uses it, or set API_PORT`;
  if (code === "EACCES") return `port ${port} may not be used: set API_PORT to one above 1023`;
  if (code === "28P01" || code === "28000") return `${database} refuses this user: check DATABASE_URL`;
  if (code === "3D000") return `${database} does not exist: check DATABASE_URL`;
  if (code === "3F000" || code === "42P01") return `${database} has no tables yet: run npm run migrate`;
  if (isTemporalAway(error))
    return `Temporal at ${temporalAddress} cannot be reached: start it, or set TEMPORAL_ADDRESS`;
  if (code !== undefined && /^(ECONN|ENOTFOUND|EAI_AGAIN|CONNECT_TIMEOUT)/.test(code)) {
    return `${database} cannot be reached (${code}): start it, or set DATABASE_URL`;
  }
  return `cannot start: ${error instanceof Error ? error.message : String(error)}`;
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
