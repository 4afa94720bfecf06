import { expect } from "vitest";
import { invariantsAsText } from "../../src/cli/invariants-text.ts";
import type { Database } from "../../src/db/database.ts";
import { checkInvariants, type InvariantOptions } from "../../src/db/invariants/invariants.ts";

/** Fails unless V1 to V12 all hold, with each broken rule and the rows that break it. */
export async function expectInvariants(db: Database, options: InvariantOptions = {}): Promise<void> {
  const broken = (await checkInvariants(db, options)).filter(({ holds }) => !holds);
  if (broken.length > 0) expect.fail(invariantsAsText(broken));
}
