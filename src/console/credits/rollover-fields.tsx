import { NumberInput, Stack, Switch } from "@mantine/core";
import { faultAt } from "../commands/field-fault.ts";
import { AmountInput, positiveMinorOf } from "../parts/amount-input.tsx";

/** What of one time goes over to the next. */
export interface Rollover {
  readonly isOn: boolean;
  /** As it is typed. */
  readonly most: string;
  /** Of all that went over; as it is typed, or nothing: no limit. */
  readonly cap: string;
  /** For how many months; nothing: for ever. */
  readonly months: number | "";
}

export const noRollover: Rollover = { isOn: false, most: "", cap: "", months: "" };

/** What the API calls them. */
export const rolloverFields = ["rollover.max_minor", "rollover.cap_minor", "rollover.lifetime_months"];

interface RolloverFieldsProps {
  readonly rollover: Rollover;
  readonly onRollover: (rollover: Rollover) => void;
  readonly currency: string;
  readonly error: Error | null;
}

export function RolloverFields({ rollover, onRollover, currency, error }: RolloverFieldsProps) {
  const change = (part: Partial<Rollover>) => onRollover({ ...rollover, ...part });
  return (
    <Stack gap="sm">
      <Switch
        label="What is left goes over to the next time"
        checked={rollover.isOn}
        onChange={(event) => change({ isOn: event.currentTarget.checked })}
      />
      {rollover.isOn ? (
        <>
          <AmountInput
            label="At most, each time"
            withAsterisk
            currency={currency}
            typed={rollover.most}
            onTyped={(most) => change({ most })}
            error={faultAt(error, "rollover.max_minor")}
          />
          <AmountInput
            label="At most, in all"
            description="Of what went over and is not used yet; no limit, when left empty."
            currency={currency}
            typed={rollover.cap}
            onTyped={(cap) => change({ cap })}
            error={faultAt(error, "rollover.cap_minor")}
          />
          <NumberInput
            label="For how many months"
            description="For ever, when left empty."
            min={1}
            max={1200}
            allowDecimal={false}
            value={rollover.months}
            onChange={(months) => change({ months: months === "" ? "" : Number(months) })}
            error={faultAt(error, "rollover.lifetime_months")}
          />
        </>
      ) : null}
    </Stack>
  );
}

/** As the API takes it; left out where nothing goes over. @throws FieldFault */
export function rolloverOf({ isOn, most, cap, months }: Rollover, currency: string) {
  if (!isOn) return {};
  return {
    rollover: {
      max_minor: positiveMinorOf(most, currency, "rollover.max_minor"),
      ...(cap.trim() === "" ? {} : { cap_minor: positiveMinorOf(cap, currency, "rollover.cap_minor") }),
      ...(months === "" ? {} : { lifetime_months: months }),
    },
  };
}
