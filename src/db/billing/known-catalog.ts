import { invariant } from "../../domain/errors.ts";
import type { Database, Tx } from "../database.ts";
import { publishedMeters, type StoredMeter } from "../usage/meters-in-force.ts";
import type { KnownPlans } from "./terms-histories.ts";

/** What a process remembers of a database's catalog. Versions of plans never change, and meters are only ever added. */
export interface KnownCatalog {
  readonly plans: KnownPlans;
  meters: readonly StoredMeter[];
}

const ofDatabases = new WeakMap<Database, KnownCatalog>();

export function knownCatalog(db: Database): KnownCatalog {
  const known = ofDatabases.get(db) ?? { plans: new Map(), meters: [] };
  ofDatabases.set(db, known);
  return known;
}

/** Every version of every meter, read when there are others than are known. @param published how many there are */
export async function metersKnown(
  tx: Tx,
  known: KnownCatalog,
  published: number,
): Promise<readonly StoredMeter[]> {
  if (known.meters.length < published) known.meters = await publishedMeters(tx);
  invariant(known.meters.length >= published, "meters are only ever added");
  return known.meters;
}
