import type { DecisionOutcome } from "../db/ledger/adjustments.ts";
import type { ReasonCode } from "../domain/adjustments/index.ts";
import type { CreditDestination, CreditedLine } from "../domain/invoicing/index.ts";
import type { Money } from "../domain/money/index.ts";
import type { CommandContext } from "./dependencies.ts";

/** What is asked for; its id is made from the request, so the same request is the same note. */
export interface CreditNoteRequest {
  readonly id: string;
  readonly invoiceId: string;
  /** The lines and how much of each; or an amount of all lines in proportion, null for all that can be refunded. */
  readonly lines: readonly CreditedLine[] | { readonly all: Money | null };
  /** Where what is paid already goes. */
  readonly destination: CreditDestination;
  readonly reasonCode: ReasonCode;
  readonly reason: string | null;
}

export interface InvoiceCommands {
  /**
   * Withdraws an open invoice, and bills the period that it closed anew. Done twice it is done once.
   * @throws WorkflowRefusal with the code of why it cannot be
   */
  voidInvoice(
    command: {
      readonly requestId: string;
      readonly invoiceId: string;
      readonly reasonCode: ReasonCode;
      readonly reason: string | null;
    },
    context: CommandContext,
  ): Promise<{ readonly replacedBy: string | null }>;
}

export interface CreditNoteDecision {
  readonly creditNoteId: string;
  readonly outcome: DecisionOutcome;
  readonly note: string | null;
}

export interface CreditNoteCommands {
  /**
   * Issues a credit note and has its refunds sent, or writes it down to wait for somebody else when it is above the limit.
   * @throws CreditNoteImpossibleError when it is for more than is left: nothing is written down
   */
  request(request: CreditNoteRequest, context: CommandContext): Promise<void>;
  /**
   * Decides about one that waits, once; the same decision by the same key again changes nothing. An approval issues it.
   * @throws CreditNoteImpossibleError when it has become impossible: it goes on waiting
   */
  decide(decision: CreditNoteDecision, context: CommandContext): Promise<void>;
}
