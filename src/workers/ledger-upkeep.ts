import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import { type Database, inTransaction } from "../db/database.ts";
import { expireReservations } from "../db/entitlements/stored-reservations.ts";
import { expireHolds } from "../db/ledger/holds.ts";
import { carryClosedMonth, foldHotBalances, preparePartitions } from "../db/ledger/ledger.ts";
import { type SealStore, sealLedger } from "../db/seals/ledger-seals.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { type RepeatedWork, repeatWork } from "./repeated-work.ts";

export interface LedgerUpkeepOptions {
  readonly db: Database;
  /** By whose time holds expire: the wall's, for requests wait in it whatever clock their customer has. */
  readonly now: () => Instant;
  /** Where the copy of the seals is kept; undefined: nothing is sealed. */
  readonly seals?: SealStore | undefined;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Reads of a hot account add up what is not folded yet, so this bounds how much that is. */
  readonly everyMs?: number;
}

/**
 * Every few seconds, for as long as the worker runs: prepares partitions, folds what hot accounts have collected into
 * their balances, lets holds and reservations expire, carries the balances of a closed month forward, and seals what no transaction can
 * precede any more. Any number of workers may do it: the database lets one at a time.
 */
export function startLedgerUpkeep({
  db,
  now,
  seals,
  logger,
  metrics,
  everyMs = 3_000,
}: LedgerUpkeepOptions): RepeatedWork {
  const foldedDeltas = new Counter({
    name: "reckoner_ledger_folded_deltas_total",
    help: "Deltas of hot accounts that were folded into their balances",
    registers: [metrics],
  });
  const expiredHolds = new Counter({
    name: "reckoner_ledger_expired_holds_total",
    help: "Holds that nobody had resolved when they expired",
    registers: [metrics],
  });
  const expiredReservations = new Counter({
    name: "reckoner_expired_reservations_total",
    help: "Reservations that nobody had settled when they expired",
    registers: [metrics],
  });
  const sealsMade = new Counter({
    name: "reckoner_ledger_seals_total",
    help: "Seals that were made over the ledger's entries",
    registers: [metrics],
  });
  const chores: readonly (() => Promise<unknown>)[] = [
    // First: without a partition nothing can be posted.
    () => inTransaction(db, (tx) => preparePartitions(tx)),
    async () => foldedDeltas.inc(Number(await inTransaction(db, foldHotBalances))),
    async () => expiredHolds.inc(await inTransaction(db, (tx) => expireHolds(tx, now()))),
    async () => expiredReservations.inc(await inTransaction(db, (tx) => expireReservations(tx, now()))),
    () => inTransaction(db, carryClosedMonth),
    async () => seals !== undefined && sealsMade.inc(await sealLedger(db, seals)),
  ];

  return repeatWork({
    everyMs,
    logger,
    failing: "the ledger cannot be kept up; trying again",
    again: "the ledger is kept up again",
    // What fails holds up nothing else.
    async work() {
      const failures: unknown[] = [];
      for (const chore of chores) await chore().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw failures[0];
      return false;
    },
  });
}
