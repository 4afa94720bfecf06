import { type SQL, sql } from "drizzle-orm";
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { sayingForWhom } from "./audit.ts";
import { listTypes } from "./list-types.ts";
import { endingWithConnection } from "./lost-connection.ts";
import { keepingPrepared } from "./prepared-statements.ts";
import { sqlState } from "./sql-state.ts";

/** What every repository takes: inside a transaction it is the transaction's handle. */
export type Tx = Pick<
  PostgresJsDatabase,
  "select" | "selectDistinctOn" | "insert" | "update" | "delete" | "execute" | "transaction"
>;

export interface Database {
  readonly sql: postgres.Sql<{ bigint: bigint }>;
  readonly orm: PostgresJsDatabase;
  /**
   * Connections of their own for {@link inSnapshot}, whose transactions read as of one moment and write nothing: who holds a
   * transaction open never waits for one of its own pool.
   */
  readonly snapshots: PostgresJsDatabase;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly poolSize: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
}

/**
 * Opens a pool on the primary. int8 comes back as bigint, numeric as text: money never becomes a float.
 * Idle transactions are cut off by the server, so that a stuck client cannot hold locks or the snapshot horizon.
 */
export function openDatabase({ url, poolSize, applicationName = "reckoner" }: DatabaseOptions): Database {
  const connect = (usual: { readonly isolation: Isolation; readonly isReadOnly?: boolean }) =>
    endingWithConnection(
      postgres(url, {
        max: poolSize,
        connect_timeout: 5, // seconds; a server that is restarting may take a connection and never answer it
        types: { bigint: postgres.BigInt, ...listTypes },
        fetch_types: false,
        connection: {
          application_name: applicationName,
          idle_in_transaction_session_timeout: 30_000,
          default_transaction_isolation: usual.isolation,
          default_transaction_read_only: usual.isReadOnly ?? false,
        },
        onnotice: () => {},
      }),
    );
  const client = connect({ isolation: usualIsolation });
  const snapshotClient = connect({ isolation: "repeatable read", isReadOnly: true });
  return {
    sql: client,
    orm: drizzle(sayingForWhom(keepingPrepared(client))),
    snapshots: drizzle(keepingPrepared(snapshotClient)),
    close: async () => {
      await Promise.all([client.end({ timeout: 5 }), snapshotClient.end({ timeout: 5 })]);
    },
  };
}

export type Isolation = "read committed" | "repeatable read" | "serializable";

const usualIsolation: Isolation = "read committed";

/** Errors after which the whole transaction may simply run again: serialisation failure and deadlock. */
const retriedErrorCodes = new Set(["40001", "40P01"]);
const attemptsMax = 5;

/** Runs `work` in one transaction, again from the start when the database asks for it. */
export async function inTransaction<T>(
  db: Database,
  work: (tx: Tx) => Promise<T>,
  { isolation = usualIsolation }: { readonly isolation?: Isolation } = {},
): Promise<T> {
  // What connections begin with is not said again: it would be a statement of its own.
  const config = isolation === usualIsolation ? undefined : { isolationLevel: isolation };
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.orm.transaction((tx) => work(tx), config);
    } catch (error) {
      if (attempt >= attemptsMax || !retriedErrorCodes.has(sqlState(error) ?? "")) throw error;
    }
  }
}

/**
 * Reads several things as of one moment. May be called inside a transaction that holds locks: it sees everything
 * committed before this call, and it takes no locks and writes nothing itself.
 */
export async function inSnapshot<T>(db: Database, read: (tx: Tx) => Promise<T>): Promise<T> {
  return await db.snapshots.transaction((tx) => read(tx));
}

/** Runs a query and gives its rows with the type the caller states for them. */
export async function rows<Row>(tx: Pick<Tx, "execute">, query: SQL): Promise<Row[]> {
  return [...(await tx.execute(query))] as Row[];
}

export { sql, sqlState };
