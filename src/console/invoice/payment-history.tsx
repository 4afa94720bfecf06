import { Stack, Text } from "@mantine/core";
import { useCustomer } from "../customer/customer-context.ts";
import { counted } from "../format/quantity.ts";
import { wordsFor } from "../format/words.ts";
import { CopyableId } from "../parts/copyable-id.tsx";
import { DefinitionList } from "../parts/definition-list.tsx";
import { Amount, Time } from "../parts/figures.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import type { InvoiceDetail, PaymentAttempt } from "../reads/resources.ts";

/** Every attempt to collect an invoice, what followed a failed one, and the payments received. */
export function PaymentHistory({ invoice }: { invoice: InvoiceDetail }) {
  const { time_zone: timeZone } = useCustomer();
  const { payment_attempts: attempts, payments, dunning } = invoice;
  if (attempts.length === 0 && payments.length === 0) {
    return (
      <EmptyNotice title="No payment">
        {invoice.total_minor === "0" ? "There was nothing to pay." : "No attempt was made yet."}
      </EmptyNotice>
    );
  }
  return (
    <>
      {attempts.length === 0 ? null : (
        <RecordTable
          label="Payment attempts"
          columns={columnsIn(timeZone)}
          rows={attempts}
          keyOf={({ attempt }) => String(attempt)}
        />
      )}
      {dunning === null ? null : (
        <Text size="sm" c="dimmed" px="md" py="sm">
          Dunning: {wordsFor(dunning.state).toLowerCase()} after {counted(dunning.attempts, "attempt")}.
        </Text>
      )}
      <Payments invoice={invoice} />
    </>
  );
}

function Payments({ invoice: { payments, currency } }: { invoice: InvoiceDetail }) {
  const { time_zone: timeZone } = useCustomer();
  if (payments.length === 0) return null;
  const items = payments.map(({ stripe_payment_intent: intent, amount_minor, received_at }) => ({
    key: intent,
    name: (
      <>
        Received <Time at={received_at} timeZone={timeZone} />
      </>
    ),
    value: (
      <Stack gap={0} align="flex-start">
        <Amount minor={amount_minor} currency={currency} fw={600} />
        <CopyableId id={intent} />
      </Stack>
    ),
  }));
  return <DefinitionList items={items} />;
}

const causes: Readonly<Record<PaymentAttempt["cause"], string>> = {
  first: "On issue",
  schedule: "Scheduled retry",
  new_payment_method: "New payment method",
  operator: "Retry by an operator",
};

const columnsIn = (timeZone: string): readonly Column<PaymentAttempt>[] => [
  {
    header: "Attempt",
    onPhone: "title",
    cell: ({ attempt, cause }) => (
      <Text span size="sm" fw={600}>
        {attempt}. {causes[cause]}
      </Text>
    ),
  },
  { header: "When", cell: ({ attempted_at }) => <Time at={attempted_at} timeZone={timeZone} /> },
  {
    header: "Outcome",
    cell: ({ outcome, decline_code }) => (
      <Stack gap={2} align="flex-start">
        <StateBadge state={outcome} />
        {decline_code === null ? null : (
          <Text size="xs" c="dimmed">
            {wordsFor(decline_code)}
          </Text>
        )}
      </Stack>
    ),
  },
];
