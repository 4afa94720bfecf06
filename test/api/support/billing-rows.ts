import { openDatabase } from "../../../src/db/database.ts";

/**
 * Puts facts into the tables that workflows write, as the role that owns them, for tests of what the API shows.
 * `statement` is trusted SQL.
 */
export async function insertAsOwner(ownerUrl: string, statement: string): Promise<void> {
  const owner = openDatabase({ url: ownerUrl, poolSize: 1 });
  try {
    await owner.sql.unsafe(statement);
  } finally {
    await owner.close();
  }
}
