import { BillingError } from "../errors.ts";

/** Why an invoice cannot be voided. */
export class InvoiceNotVoidableError extends BillingError {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** What decides whether an invoice can be voided. */
export interface VoidableInvoice {
  readonly status: "open" | "paid" | "void" | "uncollectible";
  readonly amountPaidMinor: bigint;
  /** Credit notes of it that are issued or wait. */
  readonly creditNotes: number;
  /** Whether a later rating, or the revenue of a period that has passed, builds on it. */
  readonly isBuiltOn: boolean;
  /** Whether it gave credit back that an earlier invoice had drawn. */
  readonly gaveCreditBack: boolean;
  /** Whether a grant that paid for it has ended: nothing can go back to it. */
  readonly hasEndedGrant: boolean;
}

/** @throws InvoiceNotVoidableError unless nothing was settled on it and nothing builds on it */
export function requireVoidable(invoice: VoidableInvoice): void {
  const { status, amountPaidMinor, creditNotes, isBuiltOn, gaveCreditBack, hasEndedGrant } = invoice;
  if (status !== "open" || amountPaidMinor > 0n) {
    const how = status === "open" ? "paid in part" : status;
    throw refused(
      "invoice_not_voidable",
      `it is ${how}: only an open invoice is voided, a paid one is credited`,
    );
  }
  if (creditNotes > 0) {
    throw refused("invoice_has_credit_notes", "credit notes refer to it: credit what is left of it");
  }
  if (isBuiltOn) {
    throw refused("invoice_is_built_on", "what came later builds on it: credit it instead");
  }
  if (gaveCreditBack) {
    throw refused("invoice_gave_credit_back", "it gave credit of an earlier invoice back: credit it instead");
  }
  if (hasEndedGrant) {
    throw refused(
      "credit_grant_ended",
      "a grant that paid for it has ended, and nothing can go back to it: credit it instead",
    );
  }
}

const refused = (code: string, message: string) => new InvoiceNotVoidableError(code, message);
