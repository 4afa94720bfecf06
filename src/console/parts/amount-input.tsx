import { TextInput, type TextInputProps } from "@mantine/core";
import { FieldFault } from "../commands/field-fault.ts";
import { amountExample, minorOf } from "../format/minor-amount.ts";

interface AmountInputProps extends Omit<TextInputProps, "value" | "onChange"> {
  readonly currency: string;
  readonly typed: string;
  readonly onTyped: (typed: string) => void;
}

/** An amount to type, in the currency's own unit: dollars, not cents. */
export function AmountInput({ currency, typed, onTyped, ...rest }: AmountInputProps) {
  return (
    <TextInput
      inputMode="decimal"
      autoComplete="off"
      placeholder={amountExample(currency)}
      rightSection={currency.toUpperCase()}
      rightSectionWidth={52}
      value={typed}
      onChange={(event) => onTyped(event.currentTarget.value)}
      classNames={{ input: "figure" }}
      {...rest}
    />
  );
}

/** What was typed in minor units, more than nothing. @throws FieldFault */
export function positiveMinorOf(typed: string, currency: string, field: string): string {
  const minor = minorOf(typed, currency);
  if (minor === null || minor === "0" || minor.startsWith("-")) {
    throw new FieldFault(field, `enter an amount above zero, such as ${amountExample(currency)}`);
  }
  return minor;
}
