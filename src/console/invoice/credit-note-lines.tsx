import { Button, Group, Stack, Text } from "@mantine/core";
import { faultAt } from "../commands/field-fault.ts";
import { formatAmount } from "../format/amount.ts";
import { typedAmount } from "../format/minor-amount.ts";
import { AmountInput } from "../parts/amount-input.tsx";
import type { CreditableLine } from "./creditable.ts";
import { amountField, type TypedAmounts } from "./typed-amounts.ts";

interface CreditNoteLinesProps {
  readonly lines: readonly CreditableLine[];
  /** Those with an amount, in the order in which they are sent. */
  readonly chosen: readonly CreditableLine[];
  readonly currency: string;
  readonly typed: TypedAmounts;
  readonly onTyped: (typed: TypedAmounts) => void;
  readonly error: Error | null;
}

/** How much of each line is credited; a line that is left empty is not. */
export function CreditNoteLines({ lines, chosen, currency, typed, onTyped, error }: CreditNoteLinesProps) {
  const whole = ({ leftMinor }: CreditableLine) => typedAmount(leftMinor, currency);
  const creditAll = () => onTyped(Object.fromEntries(lines.map((line) => [line.line, whole(line)])));
  const fault = faultAt(error, "lines");
  return (
    <Stack gap="sm" component="fieldset" p={0} m={0} bd={0}>
      <Group justify="space-between">
        <Text component="legend" size="sm" fw={500} p={0}>
          How much of each line
        </Text>
        <Button variant="subtle" size="compact-xs" onClick={creditAll}>
          All of every line
        </Button>
      </Group>
      {lines.map((line) => (
        <LineAmount
          key={line.line}
          line={line}
          currency={currency}
          typed={typed[line.line] ?? ""}
          onTyped={(text) => onTyped({ ...typed, [line.line]: text })}
          fault={faultAt(error, amountField(chosen.indexOf(line)))}
        />
      ))}
      {fault === undefined ? null : (
        <Text size="sm" c="var(--negative)" role="alert">
          {fault}
        </Text>
      )}
    </Stack>
  );
}

interface LineAmountProps {
  readonly line: CreditableLine;
  readonly currency: string;
  readonly typed: string;
  readonly onTyped: (typed: string) => void;
  readonly fault: string | undefined;
}

function LineAmount({ line, currency, typed, onTyped, fault }: LineAmountProps) {
  const { description, amountMinor, leftMinor } = line;
  const left = formatAmount(leftMinor, currency);
  return (
    <Group wrap="nowrap" align="flex-start" gap="sm">
      <Stack gap={0} flex={1} miw={0}>
        <Text size="sm">{description}</Text>
        <Text size="xs" c="dimmed">
          {leftMinor === amountMinor ? left : `${left} left of ${formatAmount(amountMinor, currency)}`}
        </Text>
      </Stack>
      <AmountInput
        aria-label={`Credit of line ${line.line}, ${description}`}
        currency={currency}
        typed={typed}
        onTyped={onTyped}
        error={fault}
        w={140}
      />
    </Group>
  );
}
