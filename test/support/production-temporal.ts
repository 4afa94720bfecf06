import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  databaseFolder,
  namespace,
  startDatabase,
  startProductionTemporal,
  usualEngineFolder,
} from "../../bench/lifecycle/production-temporal.ts";
import { openDatabase } from "../../src/db/database.ts";
import { createServiceGroup } from "../../src/sandbox/local-services/service-group.ts";
import { killServer } from "./killable-postgres.ts";

/** The production server, whose PostgreSQL can be taken away. */
export interface ProductionTemporal {
  readonly address: string;
  readonly namespace: string;
  /** Ends every connection to its database; new ones are taken. Answers how many there were. */
  cutConnections(): Promise<number>;
  /** Nobody gets at its database until the function that this answers with is called. */
  lockOut(): Promise<() => Promise<void>>;
  /** Ends every process of its PostgreSQL at once. */
  killDatabase(): Promise<void>;
  /** Starts it again on what is on its disk. */
  restartDatabase(): Promise<void>;
  /** Ends it for good. */
  remove(): Promise<void>;
}

/** Where the server's programs are: `npm run bench:lifecycle` builds them. */
const engineFolder = process.env.TEMPORAL_ENGINE ?? usualEngineFolder;
export const hasProductionTemporal = existsSync(join(engineFolder, "server"));

export async function openProductionTemporal(): Promise<ProductionTemporal> {
  const home = mkdtempSync(join(tmpdir(), "reckoner-production-"));
  chmodSync(home, 0o711); // PostgreSQL may run under another account
  const place = { group: createServiceGroup(), home, note: () => {} };
  const { address, databaseUrl = "" } = await startProductionTemporal({ ...place, folder: engineFolder });
  const url = new URL(databaseUrl);
  const port = Number(url.port);
  url.pathname = "/postgres";
  const asSuperuser = async (work: (sql: ReturnType<typeof openDatabase>["sql"]) => Promise<number>) => {
    const { sql, close } = openDatabase({ url: url.href, poolSize: 1 });
    return await work(sql).finally(close);
  };
  const cutConnections = () =>
    asSuperuser(async (sql) => {
      const ended =
        await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname like 'temporal%'`;
      return ended.count;
    });
  const allow = (isAllowed: boolean) =>
    asSuperuser(async (sql) => {
      for (const name of ["temporal", "temporal_visibility"]) {
        await sql`alter database ${sql(name)} allow_connections ${sql.unsafe(String(isAllowed))}`;
      }
      return 0;
    });
  return {
    address,
    namespace,
    cutConnections,
    async lockOut() {
      await allow(false);
      await cutConnections();
      return async () => void (await allow(true));
    },
    killDatabase: () => killServer(join(home, databaseFolder, "data", "cluster")),
    restartDatabase: async () => void (await startDatabase(place, port)),
    async remove() {
      await place.group.stopAll();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
