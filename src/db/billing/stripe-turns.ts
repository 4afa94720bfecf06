import { setTimeout as pause } from "node:timers/promises";
import type { TakeTurn } from "../../stripe/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import type { Database } from "../database.ts";
import { writtenTogether } from "../written-together.ts";

export interface StripePace {
  /** What the account may be asked in a second, over all processes. */
  readonly perSecond: number;
  /** What each of its endpoints may. */
  readonly perEndpoint: number;
}

/** Whoever would wait longer comes again later; a run that waits takes no place of others. */
const waitSecondsMax = 10;

/**
 * Turns that all processes on this database take from the same buckets, so that together they stay within Stripe's limits. Those
 * who come while turns are being taken take theirs with one statement.
 */
export function turnsOf(db: Database, { perSecond, perEndpoint }: StripePace): TakeTurn {
  const rates = arrayLiteral([perSecond, perEndpoint].map(String));
  const turn = writtenTogether(async (endpoints: readonly string[]) => {
    const taken = await db.sql<{ ms: number | null }[]>`
      select (extract(epoch from stripe.take_turn(
        array['account', endpoint], ${rates}::numeric[], make_interval(secs => ${waitSecondsMax}))) * 1000)::float8 as ms
      from unnest(${arrayLiteral(endpoints)}::text[]) with ordinality as asked (endpoint, place) order by place`;
    return taken.map(({ ms }) => ms);
  });
  return async (endpoint) => {
    const ms = await turn(endpoint);
    if (ms === null) return false;
    if (ms > 0) await pause(ms);
    return true;
  };
}
