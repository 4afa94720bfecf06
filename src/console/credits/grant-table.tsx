import { Group, Progress, Stack } from "@mantine/core";
import { useCustomer } from "../customer/customer-context.ts";
import { formatAmount } from "../format/amount.ts";
import { wordsFor } from "../format/words.ts";
import { DialogButton } from "../parts/dialog.tsx";
import { Amount, Day, Nothing } from "../parts/figures.tsx";
import { TextLink } from "../parts/links.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { TitledText } from "../parts/titled-text.tsx";
import type { CreditGrant } from "../reads/resources.ts";
import { useRights } from "../session/rights.ts";
import { AdjustGrantForm } from "./adjust-grant-form.tsx";
import { VoidGrantForm } from "./void-grant-form.tsx";

/** Grants of a customer with what is left of each, and what can be done with it. */
export function GrantTable({ grants }: { grants: readonly CreditGrant[] }) {
  const { time_zone: timeZone } = useCustomer();
  const { mayWrite } = useRights();
  return (
    <RecordTable
      label="Credit grants"
      columns={mayWrite ? [...columnsIn(timeZone), actions] : columnsIn(timeZone)}
      rows={grants}
      keyOf={(grant) => grant.id}
    />
  );
}

const actions: Column<CreditGrant> = {
  header: "Change",
  align: "end",
  cell: (grant) => (grant.status === "active" ? <Actions grant={grant} /> : <Nothing />),
};

function Actions({ grant }: { grant: CreditGrant }) {
  const name = `${names[grant.kind].toLowerCase()} credit, ${formatAmount(grant.remaining_minor, grant.currency)} left`;
  return (
    <Group gap="xs" wrap="nowrap" justify="flex-end">
      <DialogButton label="Adjust" description={`Adjust ${name}`} title="Adjust a grant">
        <AdjustGrantForm grant={grant} />
      </DialogButton>
      <DialogButton label="Void" description={`Void ${name}`} title="Void a grant" isGrave>
        <VoidGrantForm grant={grant} />
      </DialogButton>
    </Group>
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
      <TitledText title={names[kind]}>{reason ?? wordsFor(reason_code ?? "")}</TitledText>
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
