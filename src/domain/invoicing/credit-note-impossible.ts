import { BillingError } from "../errors.ts";

/** Why a credit note cannot be issued now. */
export class CreditNoteImpossibleError extends BillingError {
  readonly code: string;

  constructor(code: string, message: string, field?: string) {
    super(message, field);
    this.code = code;
  }
}
