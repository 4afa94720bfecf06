import { Progress, Stack, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { wordsFor } from "../format/words.ts";
import { Amount, Day, Nothing } from "../parts/figures.tsx";
import { TextLink } from "../parts/links.tsx";
import { LoadedList } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { Section } from "../parts/section.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { creditGrantsQuery } from "../reads/queries.ts";
import type { CreditGrant } from "../reads/resources.ts";
import { useCustomer } from "./customer-context.ts";

export function CreditsTab() {
  const { id, time_zone: timeZone } = useCustomer();
  const query = useInfiniteQuery(creditGrantsQuery(id));
  const none = (
    <EmptyNotice title="No credit">
      Credit that was bought or given appears here with what is left of it.
    </EmptyNotice>
  );
  return (
    <Section title="Credit grants">
      <LoadedList query={query} empty={none}>
        {(grants) => (
          <RecordTable
            label="Credit grants"
            columns={columnsIn(timeZone)}
            rows={grants}
            keyOf={(grant) => grant.id}
          />
        )}
      </LoadedList>
    </Section>
  );
}

const names: Readonly<Record<CreditGrant["kind"], string>> = {
  paid: "Prepaid",
  promotional: "Promotional",
  goodwill: "Goodwill",
};

const columnsIn = (timeZone: string): readonly Column<CreditGrant>[] => [
  {
    header: "Credit",
    onPhone: "title",
    cell: ({ kind, reason, reason_code }) => (
      <Stack gap={0}>
        <Text size="sm" fw={600}>
          {names[kind]}
        </Text>
        <Text size="xs" c="dimmed">
          {reason ?? wordsFor(reason_code ?? "")}
        </Text>
      </Stack>
    ),
  },
  { header: "State", cell: ({ status }) => <StateBadge state={status} /> },
  {
    header: "From",
    onPhone: "hidden",
    cell: ({ effective_at }) => <Day at={effective_at} timeZone={timeZone} />,
  },
  {
    header: "Expires",
    cell: ({ expires_at }) =>
      expires_at === null ? <span>Never</span> : <Day at={expires_at} timeZone={timeZone} />,
  },
  {
    header: "Bought with",
    cell: ({ invoice, customer }) =>
      invoice === null ? (
        <Nothing />
      ) : (
        <TextLink
          size="sm"
          to="/customers/$customerId/invoices/$invoiceId"
          params={{ customerId: customer, invoiceId: invoice }}
        >
          Invoice
        </TextLink>
      ),
  },
  {
    header: "Granted",
    align: "end",
    cell: ({ amount_minor, currency }) => <Amount minor={amount_minor} currency={currency} />,
  },
  { header: "Left", align: "end", cell: (grant) => <Left grant={grant} /> },
];

function Left({ grant }: { grant: CreditGrant }) {
  const { remaining_minor, amount_minor, adjusted_minor, currency, status } = grant;
  // How long a bar is drawn, not an amount: here a float will do.
  const whole = Number(amount_minor) + Number(adjusted_minor);
  const share = whole > 0 ? (100 * Number(remaining_minor)) / whole : 0;
  return (
    <Stack gap={4}>
      <Amount minor={remaining_minor} currency={currency} fw={600} />
      <Progress
        value={share}
        size={4}
        color={status === "active" ? "ledger" : "gray"}
        aria-label={`${Math.round(share)} percent left, ${wordsFor(status)}`}
      />
    </Stack>
  );
}
