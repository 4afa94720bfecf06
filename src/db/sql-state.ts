import { DrizzleQueryError } from "drizzle-orm";

/** The five-character SQLSTATE of a database error, also when Drizzle has wrapped it. */
export function sqlState(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const { code } = current as { code?: unknown };
    if (typeof code === "string" && /^[0-9A-Z]{5}$/.test(code)) return code;
  }
  return undefined;
}

/** What may be told of a failed query anywhere: neither its parameters nor the row it was about. Null for other errors. */
export function queryFailure(error: unknown): { readonly code: string; readonly message: string } | null {
  if (!(error instanceof DrizzleQueryError)) return null;
  const cause = error.cause as { readonly code?: unknown } | undefined;
  const code = typeof cause?.code === "string" ? cause.code : "unknown";
  return { code, message: `a query failed (${code}): ${error.query.slice(0, 200)}` };
}
