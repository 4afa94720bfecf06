import { admitBootstrapKey } from "../db/access.ts";
import type { Database } from "../db/database.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { hashOf, prefixOf } from "./api-key-secret.ts";

/** Lets the key from the configuration in, with all rights: with it the first others are made. */
export async function ensureBootstrapKey(db: Database, secret: string, at: Instant): Promise<void> {
  const admitted = await admitBootstrapKey(db.orm, {
    prefix: prefixOf(secret),
    secretHash: hashOf(secret),
    at,
  });
  if (!admitted) throw new Error("API_BOOTSTRAP_KEY was revoked or replaced before: choose a new one");
}
