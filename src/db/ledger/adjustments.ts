import { and, desc, eq, inArray } from "drizzle-orm";
import type { Adjustment, AdjustmentKind, Correction } from "../../domain/adjustments/index.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import { invariant, unreachable } from "../../domain/errors.ts";
import type { JournalEntry } from "../../domain/ledger/index.ts";
import type { Money } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import {
  type AdjustmentStatus,
  adjustment,
  adjustmentDecision,
  adjustmentStanding,
} from "../schema/adjustments.ts";
import { findEntryOfCause } from "./ledger.ts";

export { type AdjustmentStatus, adjustmentStatuses, type DecisionOutcome } from "../schema/adjustments.ts";

/** An adjustment as it was asked for, with its decision and where it stands. */
export type StoredAdjustment = typeof adjustmentStanding.$inferSelect;

/** Who asked for something and when, and above what somebody else must agree; null: always. */
export interface Asking {
  readonly requestedBy: string;
  readonly requestedAt: Instant;
  readonly approvalLimit: Money | null;
}

/**
 * Writes down what was asked for. The database finds out whether somebody else must agree, and locks the customer for
 * that. Written down twice, it is the first one that comes back.
 */
export async function insertAdjustment(
  tx: Tx,
  { correction, ...asked }: Adjustment,
  { approvalLimit, ...asking }: Asking,
): Promise<StoredAdjustment> {
  const row = { ...asked, ...correction, ...asking, approvalLimitMinor: approvalLimit?.amountMinor ?? null };
  await tx.insert(adjustment).values(row).onConflictDoNothing();
  const stored = await findAdjustment(tx, asked.id);
  invariant(stored, "an adjustment that was written down is found");
  return stored;
}

export async function findAdjustment(tx: Tx, id: string): Promise<StoredAdjustment | undefined> {
  const [found] = await tx.select().from(adjustmentStanding).where(eq(adjustmentStanding.id, id));
  return found;
}

/** Decides for good; the caller holds the customer's lock and has seen that nobody has before. */
export async function insertDecision(
  tx: Tx,
  decision: typeof adjustmentDecision.$inferInsert,
): Promise<void> {
  await tx.insert(adjustmentDecision).values(decision);
}

export interface AdjustmentFilter {
  readonly status?: AdjustmentStatus | undefined;
  readonly customerId?: string | undefined;
  readonly kind?: AdjustmentKind | undefined;
  /** Who asked for it. */
  readonly requestedBy?: string | undefined;
}

export async function listAdjustments(
  tx: Tx,
  filter: AdjustmentFilter,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredAdjustment, NewestFirst>> {
  const columns = ["status", "customerId", "kind", "requestedBy"] as const;
  const found = await tx
    .select()
    .from(adjustmentStanding)
    .where(
      and(
        ...columns.map((name) =>
          filter[name] === undefined ? undefined : eq(adjustmentStanding[name], filter[name]),
        ),
        olderThan(adjustmentStanding.requestedAt, adjustmentStanding.id, page.after),
      ),
    )
    .orderBy(desc(adjustmentStanding.requestedAt), desc(adjustmentStanding.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ requestedAt, id }) => ({ at: requestedAt, id }));
}

/** The executed adjustments that made, changed or voided these grants. */
export async function adjustmentsOfGrants(tx: Tx, grantIds: readonly string[]): Promise<StoredAdjustment[]> {
  if (grantIds.length === 0) return [];
  return await tx
    .select()
    .from(adjustmentStanding)
    .where(
      and(inArray(adjustmentStanding.grantId, [...grantIds]), eq(adjustmentStanding.status, "executed")),
    );
}

/** The journal entries that an adjustment is booked by; none until it is executed. */
export async function entriesOfAdjustment(
  tx: Tx,
  { status, causeType, causeId, entryKind }: StoredAdjustment,
): Promise<JournalEntry[]> {
  if (status !== "executed") return [];
  const entry = await findEntryOfCause(tx, entryKind, { type: causeType, id: causeId });
  return entry === undefined ? [] : [entry];
}

/** What was asked for, as the domain sees it. */
export function adjustmentOf(stored: StoredAdjustment): Adjustment {
  const { id, customerId, currency, reasonCode, reason } = stored;
  return { id, customerId, currency, reasonCode, reason, correction: storedCorrection(stored) };
}

function storedCorrection({
  kind,
  change,
  grantId,
  grantKind,
  priority,
  expiresAt,
  scope,
  startsAt,
}: StoredAdjustment): Correction {
  switch (kind) {
    case "credit_balance":
    case "debit_balance":
      return { kind, change };
    case "grant_credit":
      invariant(grantId !== null && priority !== null, "credit that is given has its terms");
      invariant(grantKind === "promotional" || grantKind === "goodwill", "credit that is given is not sold");
      return {
        ...{ kind, change, grantId, grantKind, priority, expiresAt },
        ...(scope === null ? {} : { scope }),
        ...(startsAt === null ? {} : { startsAt }),
      };
    case "void_grant":
    case "adjust_grant":
      invariant(grantId !== null && grantKind !== null, "what changes a grant names it");
      return { kind, change, grantId, grantKind };
    default:
      return unreachable(kind);
  }
}
