import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useCommand } from "../commands/use-command.ts";
import { formatAmount, isNegativeAmount } from "../format/amount.ts";
import { formatPeriod, formatTime } from "../format/time.ts";
import { CommandForm, Done } from "../parts/command-form.tsx";
import { Amount } from "../parts/figures.tsx";
import { TextLink } from "../parts/links.tsx";
import type { ChangePreview, Customer, Subscription } from "../reads/resources.ts";
import { usePlanName } from "../reads/use-plan-name.ts";
import { describeChange, makeChange, type RequestedChange } from "./requested-change.ts";

interface ChangePreviewedProps {
  readonly subscription: Subscription;
  readonly customer: Customer;
  readonly change: RequestedChange;
  readonly preview: ChangePreview;
  readonly goBack: () => void;
}

/** The lines of a change, and the button that makes it with these very lines. */
export function ChangePreviewed({
  subscription: { id },
  customer,
  change,
  preview,
  goBack,
}: ChangePreviewedProps) {
  const planName = usePlanName();
  const command = useCommand({
    prepare: () => (reckoner, header) => makeChange(reckoner, header, { id, change, preview }),
  });
  const { time_zone: timeZone } = customer;
  return (
    <CommandForm
      command={command}
      submit="Make the change"
      done={({ effective_at, invoice }) => (
        <Done title="The change is made">
          It holds from {formatTime(effective_at, timeZone)} on.{" "}
          {invoice === null ? null : (
            <TextLink
              to="/customers/$customerId/invoices/$invoiceId"
              params={{ customerId: customer.id, invoiceId: invoice }}
              size="sm"
            >
              Its invoice
            </TextLink>
          )}
        </Done>
      )}
    >
      <Group justify="space-between" gap="xs">
        <Text fw={600}>To {describeChange(change, planName)}</Text>
        <Button variant="subtle" size="compact-sm" onClick={goBack} disabled={command.isPending}>
          Change something
        </Button>
      </Group>
      <PreviewLines preview={preview} timeZone={timeZone} />
      <Outcome preview={preview} timeZone={timeZone} />
    </CommandForm>
  );
}

export function PreviewLines({
  preview: { lines, currency },
  timeZone,
}: {
  preview: ChangePreview;
  timeZone: string;
}) {
  if (lines.length === 0) return <Text size="sm">Nothing is charged and nothing is handed back.</Text>;
  return (
    <Stack component="ul" gap="sm" p={0} m={0} style={{ listStyle: "none" }} aria-label="Lines of the change">
      {lines.map((line) => (
        <Group
          component="li"
          key={JSON.stringify(line)}
          justify="space-between"
          wrap="nowrap"
          align="flex-start"
        >
          <Stack gap={0}>
            <Text size="sm">{line.description}</Text>
            <Text size="xs" c="dimmed">
              {formatPeriod({ start: line.period_start, end: line.period_end }, timeZone)}
            </Text>
          </Stack>
          <Amount minor={line.amount_minor} currency={currency} fz="sm" fw={600} />
        </Group>
      ))}
    </Stack>
  );
}

const settled: Readonly<Record<ChangePreview["settle"], string>> = {
  now: "on an invoice of its own, now",
  next_invoice: "with the next invoice",
  none: "not at all",
};

export function Outcome({ preview, timeZone }: { preview: ChangePreview; timeZone: string }) {
  const { net_minor: net, currency, settle, effective_at, period } = preview;
  const isForCustomer = isNegativeAmount(net);
  const amount = formatAmount(net.replace("-", ""), currency);
  return (
    <Alert
      color="gray"
      variant="light"
      title={isForCustomer ? `${amount} is handed back` : `${amount} is charged`}
    >
      <Text size="sm">
        {settle === "none" ? "" : `It goes ${settled[settle]}. `}
        It holds from {formatTime(effective_at, timeZone)} on, with exactly these lines, or is refused where
        something has changed since.
        {period === null ? "" : ` The period is then ${formatPeriod(period, timeZone)}.`}
      </Text>
    </Alert>
  );
}
