import type { Feature } from "../../domain/catalog/index.ts";
import { latestFeatures } from "../billing/catalog.ts";
import type { Database, Tx } from "../database.ts";

/** The features of a database as a process remembers them: versions are only ever added, so an equal number is the same. */
interface KnownFeatures {
  published: number;
  byKey: ReadonlyMap<string, Feature>;
}

const ofDatabases = new WeakMap<Database, KnownFeatures>();

/** The newest version of every feature, read when others were published. @param published how many versions there are */
export async function featuresKnown(
  db: Database,
  tx: Tx,
  published: number,
): Promise<ReadonlyMap<string, Feature>> {
  const known = ofDatabases.get(db);
  if (known !== undefined && known.published === published) return known.byKey;
  const features = await latestFeatures(tx);
  const byKey = new Map(features.map((feature) => [feature.key, feature]));
  ofDatabases.set(db, { published, byKey });
  return byKey;
}
