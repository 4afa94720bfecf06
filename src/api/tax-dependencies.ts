import type { StoredTax } from "../db/billing/tax-given.ts";
import type { Instant } from "../domain/calendar/index.ts";
import type { GivenTaxLine, TaxBasis, TaxHandling } from "../domain/invoicing/index.ts";
import type { Currency } from "../domain/money/index.ts";
import type { CommandContext } from "./dependencies.ts";

/** Tax as somebody outside reckoned it, for the lines that a quote names. */
export interface TaxToGive {
  readonly requestId: string;
  readonly quote: string;
  readonly currency: Currency;
  readonly lines: readonly GivenTaxLine[];
}

/** Who reckons a customer's tax from an instant on. */
export interface TaxChoice {
  readonly requestId: string;
  readonly customerId: string;
  /** Null: what the seller says for all. */
  readonly handling: TaxHandling | null;
  readonly basis: TaxBasis;
  /** Now when left out. */
  readonly appliesAt?: Instant | undefined;
  readonly reason: string | null;
}

/** What becomes of a period that is to be closed at once. */
export interface FinalisedDraft {
  /** closing: its run was told, and is not done yet. */
  readonly status: "closed" | "closing";
  /** Null where there was nothing to invoice, or nothing is known yet. */
  readonly invoiceId: string | null;
}

/** Drafts, and tax that is given for them or for invoices that are issued at once. */
export interface TaxCommands {
  chooseTax(choice: TaxChoice, context: CommandContext): Promise<void>;
  /**
   * Keeps the tax of a draft, for exactly its lines of now, and tells the run that waits for it.
   * @throws RequestRefusedError `tax_quote_outdated` when the lines are others by now
   */
  giveTaxOfDraft(tax: TaxToGive & { readonly draftId: string }, context: CommandContext): Promise<StoredTax>;
  /** Keeps the tax of an invoice that is issued at once, before it is asked for. */
  giveTaxAhead(tax: TaxToGive & { readonly customerId: string }, context: CommandContext): Promise<StoredTax>;
  /** Closes a period that has ended without waiting for the rest of its grace. Done twice it is done once. */
  finalise(
    draft: { readonly draftId: string; readonly requestId: string; readonly reason: string | null },
    context: CommandContext,
  ): Promise<FinalisedDraft>;
}
