import { Select, Textarea } from "@mantine/core";
import { useState } from "react";
import type { Schemas } from "../../sdk/index.ts";
import { FieldFault, faultAt } from "../commands/field-fault.ts";
import { wordsFor } from "../format/words.ts";

export type ReasonCode = Schemas["Adjustment"]["reason_code"];
export type CorrectionReasonCode = Schemas["UsageCorrection"]["reason_code"];

/** Why money is given or taken back. */
const moneyReasons: readonly ReasonCode[] = [
  "goodwill",
  "service_outage",
  "billing_error",
  "promotion",
  "contract",
  "retention",
  "duplicate",
  "fraud",
  "other",
];

/** Why usage is corrected. */
const usageReasons: readonly CorrectionReasonCode[] = [
  "duplicate",
  "wrong_quantity",
  "wrong_customer",
  "test_traffic",
  "service_fault",
  "goodwill",
  "other",
];

export interface Reason<Code extends string> {
  readonly code: Code | null;
  readonly words: string;
}

export const useReason = <Code extends string>() => useState<Reason<Code>>({ code: null, words: "" });

interface ReasonFieldsProps<Code extends string> {
  readonly codes: readonly Code[];
  readonly reason: Reason<Code>;
  readonly onReason: (reason: Reason<Code>) => void;
  readonly error: Error | null;
  /** What the API calls the words. */
  readonly wordsField: "reason" | "note";
}

type GivenReason<Code extends string> = Pick<ReasonFieldsProps<Code>, "reason" | "onReason" | "error">;

export const MoneyReasonFields = (given: GivenReason<ReasonCode>) => (
  <ReasonFields codes={moneyReasons} wordsField="reason" {...given} />
);

export const UsageReasonFields = (given: GivenReason<CorrectionReasonCode>) => (
  <ReasonFields codes={usageReasons} wordsField="note" {...given} />
);

/** Why something is done: a code that is counted later, and words for whoever reads it. */
function ReasonFields<Code extends string>(props: ReasonFieldsProps<Code>) {
  const { codes, reason, onReason, error, wordsField } = props;
  return (
    <>
      <Select
        label="Reason"
        placeholder="Choose one"
        withAsterisk
        data={codes.map((value) => ({ value, label: wordsFor(value) }))}
        value={reason.code}
        onChange={(value) => onReason({ ...reason, code: codes.find((code) => code === value) ?? null })}
        error={faultAt(error, "reason_code")}
        allowDeselect={false}
      />
      <Textarea
        label="In words"
        description="For the record; whoever must agree reads it too."
        withAsterisk={reason.code === "other"}
        autosize
        minRows={2}
        maxLength={500}
        value={reason.words}
        onChange={(event) => onReason({ ...reason, words: event.currentTarget.value })}
        error={faultAt(error, wordsField)}
      />
    </>
  );
}

/** The reason as the API takes it; words are left out where there are none. @throws FieldFault */
export function reasonCodeOf<Code extends string>({ code }: Reason<Code>): Code {
  if (code === null) throw new FieldFault("reason_code", "choose a reason");
  return code;
}

/** `reason_code` and `reason`, for requests about money. @throws FieldFault */
export const moneyReasonOf = (reason: Reason<ReasonCode>) => ({
  reason_code: reasonCodeOf(reason),
  ...(reason.words.trim() === "" ? {} : { reason: reason.words.trim() }),
});

/** `reason_code` and `note`, for requests about usage. @throws FieldFault */
export const usageReasonOf = (reason: Reason<CorrectionReasonCode>) => ({
  reason_code: reasonCodeOf(reason),
  ...(reason.words.trim() === "" ? {} : { note: reason.words.trim() }),
});
