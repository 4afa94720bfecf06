import { desc, eq } from "drizzle-orm";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import {
  type TaxBasis,
  type TaxHandling,
  type TaxPolicy,
  usualTaxPolicy,
} from "../../domain/invoicing/index.ts";
import { askedTogether } from "../asked-together.ts";
import { rows, sql, type Tx } from "../database.ts";
import { taxChoice } from "../schema/tax.ts";
import { currentSeller, type StoredSeller } from "./seller.ts";

export type StoredTaxChoice = typeof taxChoice.$inferSelect;

/** Who reckons the tax of a customer's invoices, on what, and how long it is waited for. */
export interface TaxStanding extends TaxPolicy {
  readonly basis: TaxBasis;
}

interface ChoiceFound {
  readonly handling: TaxHandling | null;
  readonly basis: TaxBasis;
}

/** What was last chosen for a customer until an instant; null when nothing was. Asked of many customers at once. */
const choiceInForce = askedTogether(
  async (tx: Tx, asked: readonly { readonly customerId: string; readonly at: Instant }[]) => {
    const placed = asked.map(({ customerId, at }, place) => ({ place, id: customerId, at: isoOf(at) }));
    const found = await rows<{ choice: ChoiceFound | null }>(
      tx,
      sql`select (
          select json_build_object('handling', handling, 'basis', basis) from billing.tax_choice
          where customer_id = asked.id and applies_at <= asked.at order by number desc limit 1
        ) as choice
        from json_to_recordset(${JSON.stringify(placed)}::text::json) as asked (place int, id text, at timestamptz) order by place`,
    );
    return found.map(({ choice }) => choice);
  },
);

/**
 * What holds for an invoice that is issued at an instant: what was chosen for the customer, or else what the seller says.
 * @param seller where that was read before; null: nobody said who sells
 */
export async function taxStandingOf(
  tx: Tx,
  { customerId, at }: { readonly customerId: string; readonly at: Instant },
  seller?: StoredSeller | null,
): Promise<TaxStanding> {
  const choice = await choiceInForce(tx, { customerId, at });
  const known = seller === undefined ? await currentSeller(tx) : (seller ?? undefined);
  const policy = known?.details.tax ?? usualTaxPolicy;
  return {
    ...policy,
    ...(choice?.handling == null ? {} : { handling: choice.handling }),
    basis: choice?.basis ?? "before_credits",
  };
}

/** Writes a choice down; the same request again changes nothing. */
export async function insertTaxChoice(tx: Tx, choice: typeof taxChoice.$inferInsert): Promise<void> {
  await tx.insert(taxChoice).values(choice).onConflictDoNothing();
}

/** The last choice, whether it applies already or not; undefined when there is none. */
export async function lastTaxChoice(tx: Tx, customerId: string): Promise<StoredTaxChoice | undefined> {
  const [row] = await tx
    .select()
    .from(taxChoice)
    .where(eq(taxChoice.customerId, customerId))
    .orderBy(desc(taxChoice.number))
    .limit(1);
  return row;
}
