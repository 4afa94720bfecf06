import { type Database, openDatabase, type Tx } from "../../src/db/database.ts";
import { sharedServer } from "./shared-servers.ts";

/** Another connection to a database, as the server's superuser: the only one that no rule binds. */
export async function openAsSuperuser({ sql }: Pick<Database, "sql">): Promise<Database> {
  const [row] = await sql`select current_database() as name`;
  const url = new URL((await sharedServer("postgres")).adminUrl);
  url.pathname = `/${row?.name}`;
  return openDatabase({ url: url.href, poolSize: 1 });
}

/** What somebody with every right could do: nothing watches, no trigger fires. */
export async function withoutGuards(tx: Pick<Tx, "execute">, damage: string): Promise<void> {
  await tx.execute("set local session_replication_role = replica");
  await tx.execute(damage);
  await tx.execute("set local session_replication_role = origin");
}

/** Does something to a database, looks at it, and leaves it as it was. */
export async function lookAt<Found>(
  superuser: Database,
  damage: (tx: Tx) => Promise<unknown>,
  look: (tx: Tx) => Promise<Found>,
): Promise<Found> {
  const undone = new Error("the damage is undone");
  let found: { value: Found } | undefined;
  await superuser.orm
    .transaction(async (tx) => {
      await damage(tx);
      found = { value: await look(tx) };
      throw undone;
    })
    .catch((error: unknown) => {
      if (error !== undone) throw error;
    });
  if (found === undefined) throw new Error("nothing was looked at");
  return found.value;
}
