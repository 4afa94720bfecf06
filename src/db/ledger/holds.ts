import { asc, eq } from "drizzle-orm";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import {
  accountKey,
  type HoldDraft,
  type HoldSettlement,
  requireSoundHold,
} from "../../domain/ledger/index.ts";
import type { LedgerAmount } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { account } from "../schema/ledger.ts";
import { hold, holdLine, holdResolution } from "../schema/ledger-holds.ts";
import { batchText, entryText, type PostingStatus } from "./ledger.ts";

/**
 * What became of a hold that was asked for. `insufficient`: an account has not enough that is neither spent nor held.
 * `account_missing`: the chart has no such account with a floor. The others as with entries; the times do not count as
 * content, so that a request may be repeated later.
 */
export type HoldStatus = "created" | "exists" | "exists_different" | "insufficient" | "account_missing";

/**
 * What became of a settlement: as with entries, and `hold_missing`; `hold_resolved`: it was settled otherwise, released or
 * has expired; `over_limit`: more than the hold allows is taken from one of its accounts. Unless it is `created` or
 * `exists`, the hold is as it was.
 */
export type SettlementStatus = PostingStatus | "hold_missing" | "hold_resolved" | "over_limit";

/** `exists`: it was released before. `hold_resolved`: it was settled or has expired. */
export type ReleaseStatus = "released" | "exists" | "hold_resolved" | "hold_missing";

export interface HoldResult {
  readonly sourceKey: string;
  readonly status: HoldStatus;
  /** Null after a refusal. */
  readonly holdId: bigint | null;
}

export interface SettlementResult {
  readonly holdKey: string;
  readonly status: SettlementStatus;
  /** The entry that was created or was there already; null after a refusal. */
  readonly entryId: bigint | null;
}

/**
 * Sets amounts aside in the caller's transaction: each hold whole or not at all, in their order.
 * @param actor who asks, for the record
 * @throws HoldInvalidError before anything is held
 */
export async function placeHolds(
  tx: Pick<Tx, "execute">,
  drafts: readonly HoldDraft[],
  actor = "reckoner",
): Promise<HoldResult[]> {
  if (drafts.length === 0) return [];
  drafts.forEach(requireSoundHold);
  const holds = JSON.stringify(drafts.map((draft) => sentHold(draft, actor)));
  const placed = await rows<{ status: HoldStatus; hold_id: bigint | null }>(
    tx,
    sql`select status, hold_id from ledger.place_holds(${holds}::jsonb) order by ordinal`,
  );
  invariant(placed.length === drafts.length, "every hold has a result");
  return placed.map(({ status, hold_id: holdId }, index) => {
    return { sourceKey: drafts[index]?.sourceKey ?? "", status, holdId };
  });
}

/** Settles holds in the caller's transaction: each is resolved and its entry posted, or neither. */
export async function settleHolds(
  tx: Pick<Tx, "execute">,
  settlements: readonly HoldSettlement[],
  actor = "reckoner",
): Promise<SettlementResult[]> {
  if (settlements.length === 0) return [];
  const sent = settlements.map(
    ({ holdKey, entry }) => `{"hold":${JSON.stringify(holdKey)},"entry":${entryText(entry, actor)}}`,
  );
  const settled = await rows<{ status: SettlementStatus; entry_id: bigint | null }>(
    tx,
    sql`select status, entry_id from ledger.settle_holds(${batchText(sent)}::jsonb) order by ordinal`,
  );
  invariant(settled.length === settlements.length, "every settlement has a result");
  return settled.map(({ status, entry_id: entryId }, index) => {
    return { holdKey: settlements[index]?.holdKey ?? "", status, entryId };
  });
}

/** Gives back what holds have set aside, in the caller's transaction: a status for each source key. */
export async function releaseHolds(
  tx: Pick<Tx, "execute">,
  holdKeys: readonly string[],
  at: Instant,
  actor = "reckoner",
): Promise<Map<string, ReleaseStatus>> {
  const released = await rows<{ hold_key: string; status: ReleaseStatus }>(
    tx,
    sql`select hold_key, status from ledger.release_holds(
          array(select jsonb_array_elements_text(${JSON.stringify(holdKeys)}::jsonb)), ${actor}, ${isoOf(at)}::timestamptz)`,
  );
  return new Map(released.map(({ hold_key: key, status }) => [key, status]));
}

/**
 * Ends the holds that nobody has resolved by `at`: housekeeping, to be run every few seconds. Until it runs, an expired
 * hold still sets its amounts aside, and can still be settled.
 * @returns how many it looked at; fewer than `holdsMax` when none are left
 */
export async function expireHolds(tx: Pick<Tx, "execute">, at: Instant, holdsMax = 1_000): Promise<number> {
  const [row] = await rows<{ expired: bigint }>(
    tx,
    sql`select ledger.expire_holds(${isoOf(at)}::timestamptz, ${holdsMax}) as expired`,
  );
  invariant(row, "expiring gives a count");
  return Number(row.expired);
}

export interface StoredHold {
  readonly id: bigint;
  readonly sourceKey: string;
  readonly customerId: string | null;
  readonly placedAt: Instant;
  readonly expiresAt: Instant;
  readonly lines: readonly { account: string; amount: LedgerAmount; atMost: LedgerAmount | null }[];
  /** Null while it is open. */
  readonly resolution: {
    readonly outcome: "settled" | "released" | "expired";
    /** The source key of the entry that settled it. */
    readonly entryKey: string | null;
    readonly resolvedAt: Instant;
  } | null;
}

/** A hold as it stands. */
export async function findHold(tx: Tx, sourceKey: string): Promise<StoredHold | undefined> {
  const [found] = await tx
    .select({ hold, resolution: holdResolution })
    .from(hold)
    .leftJoin(holdResolution, eq(holdResolution.holdId, hold.id))
    .where(eq(hold.sourceKey, sourceKey));
  if (found === undefined) return undefined;
  const { id, customerId, placedAt, expiresAt } = found.hold;
  const lines = await tx
    .select({ account: account.key, amount: holdLine.amount, atMost: holdLine.atMost })
    .from(holdLine)
    .innerJoin(account, eq(account.id, holdLine.accountId))
    .where(eq(holdLine.holdId, id))
    .orderBy(asc(holdLine.line));
  return { id, sourceKey, customerId, placedAt, expiresAt, lines, resolution: found.resolution };
}

function sentHold(
  { sourceKey, customerId, currency, cause, placedAt, expiresAt, lines }: HoldDraft,
  actor: string,
) {
  return {
    source_key: sourceKey,
    customer_id: customerId,
    currency,
    cause_type: cause.type,
    cause_id: cause.id,
    actor,
    placed_at: isoOf(placedAt),
    expires_at: isoOf(expiresAt),
    lines: lines.map(({ account: of, amount, atMost }) => {
      return { account: accountKey(of), amount: amount.toString(), at_most: atMost?.toString() };
    }),
  };
}
