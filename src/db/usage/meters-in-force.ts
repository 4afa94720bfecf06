import type { Meter } from "../../domain/metering/index.ts";
import { currentMeters } from "../billing/plan-versions.ts";
import { rows, sql, type Tx } from "../database.ts";

/** What is measured with, as of one moment. */
export interface MetersInForce {
  /** How many versions of meters have been published: they are only ever added, so an equal number is the same meters. */
  readonly published: bigint;
  readonly meters: readonly Meter[];
}

/** Give it a snapshot: the number and the meters are two reads. */
export async function metersInForce(tx: Tx): Promise<MetersInForce> {
  const [row] = await rows<{ published: bigint }>(tx, sql`select count(*) as published from catalog.meter`);
  return { published: row?.published ?? 0n, meters: await currentMeters(tx) };
}
