import { z } from "zod";
import { asOf, type EntryRange } from "../../db/ledger/ledger-turnover.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { type LedgerSum, minorText } from "../../domain/money/index.ts";
import { decimalText, instantInput, instantText } from "../wire.ts";

/** How the ledger's values look in requests and answers. */

/** An id that the database counts. */
export const numericIdInput = z
  .string()
  .regex(/^[1-9]\d{0,17}$/, { error: 'must be the number of one, as a text such as "42"' })
  .transform(BigInt);
export const numericIdParams = z.strictObject({ id: numericIdInput });

/** Asks for the ledger as it was. Both may be given: then both hold. */
export const asOfFields = {
  effective_at: instantInput
    .optional()
    .describe(
      "Only entries effective at or before this instant, the millisecond it names included. " +
        "Without it also those that become effective later.",
    ),
  recorded_at: instantInput
    .optional()
    .describe(
      "Only entries recorded at or before this instant, the millisecond it names included: what the ledger showed then. " +
        "Final once the writes of that instant are committed, a few seconds later.",
    ),
};

type AsOfQuery = z.output<z.ZodObject<typeof asOfFields>>;

export const asOfRange = ({ effective_at: effectiveAt, recorded_at: recordedAt }: AsOfQuery): EntryRange =>
  asOf({ effectiveAt, recordedAt });

/** What an answer says about the instants it was asked for. */
export const asOfAnswerFields = {
  effective_at: instantText.optional().describe("As asked for."),
  recorded_at: instantText.optional().describe("As asked for."),
};

export const asOfAnswer = ({ effective_at: effectiveAt, recorded_at: recordedAt }: AsOfQuery) => ({
  ...(effectiveAt === undefined ? {} : { effective_at: isoOf(effectiveAt) }),
  ...(recordedAt === undefined ? {} : { recorded_at: isoOf(recordedAt) }),
});

/** An amount of the ledger in an answer. */
export const exactMinorText = decimalText.describe(
  "Minor units of the currency (cents, for USD), up to eight decimals.",
);

export const sidesFields = {
  debit_minor: exactMinorText,
  credit_minor: exactMinorText,
};
export const balanceMinorText = decimalText.describe(
  "Minor units, up to eight decimals; positive on the account's normal side.",
);

interface Sides {
  readonly debit: LedgerSum;
  readonly credit: LedgerSum;
}

export const sidesAnswer = ({ debit, credit }: Sides) => ({
  debit_minor: minorText(debit),
  credit_minor: minorText(credit),
});

export const sumsAnswer = ({ balance, ...sides }: Sides & { readonly balance: LedgerSum }) => ({
  ...sidesAnswer(sides),
  balance_minor: minorText(balance),
});
