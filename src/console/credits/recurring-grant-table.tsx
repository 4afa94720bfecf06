import { Stack, Text, Textarea } from "@mantine/core";
import { useState } from "react";
import { DecisionButtons } from "../approvals/decision-buttons.tsx";
import { DecisionText } from "../approvals/decision-text.tsx";
import { every, waitingRecurring } from "../approvals/waiting-request.ts";
import { faultAt } from "../commands/field-fault.ts";
import { useCommand } from "../commands/use-command.ts";
import { useCustomer } from "../customer/customer-context.ts";
import { formatAmount } from "../format/amount.ts";
import { wordsFor } from "../format/words.ts";
import { CommandForm, Done } from "../parts/command-form.tsx";
import { DialogButton } from "../parts/dialog.tsx";
import { Amount, Day, Nothing } from "../parts/figures.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { TitledText } from "../parts/titled-text.tsx";
import type { RecurringCreditGrant } from "../reads/resources.ts";
import { useRights } from "../session/rights.ts";

/** Credit that is given again and again, with its decision and a way to end it. */
export function RecurringGrantTable({ grants }: { grants: readonly RecurringCreditGrant[] }) {
  const { time_zone: timeZone } = useCustomer();
  return (
    <RecordTable
      label="Recurring credit"
      columns={columnsIn(timeZone)}
      rows={grants}
      keyOf={({ id }) => id}
      below={(grant) => <Standing grant={grant} />}
    />
  );
}

function Standing({ grant }: { grant: RecurringCreditGrant }) {
  const { mayWrite } = useRights();
  const { status, decision, amount_minor, currency, interval } = grant;
  if (status === "pending_approval") return <DecisionButtons decidable={waitingRecurring(grant)} />;
  const what = `${formatAmount(amount_minor, currency)} ${every(interval)}`;
  return (
    <Stack gap={4} align="flex-start">
      {decision === null ? null : <DecisionText decision={decision} />}
      {status === "active" && mayWrite ? (
        <DialogButton label="End" description={`End ${what}`} title={`Give no more of ${what}?`}>
          <EndForm grant={grant} />
        </DialogButton>
      ) : null}
    </Stack>
  );
}

/** Ends credit that is given again and again; what was given stays. */
function EndForm({ grant: { id } }: { grant: RecurringCreditGrant }) {
  const [words, setWords] = useState("");
  const command = useCommand({
    prepare: () => {
      const body = words.trim() === "" ? {} : { reason: words.trim() };
      return (reckoner, header) =>
        reckoner.post("/v1/recurring-credit-grants/{id}/end", { params: { path: { id }, header }, body });
    },
  });
  return (
    <CommandForm
      command={command}
      submit="End it"
      isGrave
      fields={["reason"]}
      done={() => <Done title="It is ended">Nothing is given any more.</Done>}
    >
      <Text size="sm">
        What was given stays until its own time is over. To take that back too, void it among the credit
        grants.
      </Text>
      <Textarea
        label="Why"
        autosize
        minRows={2}
        maxLength={500}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
        error={faultAt(command.error, "reason")}
      />
    </CommandForm>
  );
}

const columnsIn = (timeZone: string): readonly Column<RecurringCreditGrant>[] => [
  {
    header: "Credit",
    onPhone: "title",
    cell: ({ amount_minor, currency, interval, reason, reason_code }) => (
      <TitledText title={`${formatAmount(amount_minor, currency)} ${every(interval)}`}>
        {reason ?? wordsFor(reason_code)}
      </TitledText>
    ),
  },
  { header: "State", cell: ({ status }) => <StateBadge state={status} /> },
  {
    header: "Until",
    cell: ({ expires_at }) =>
      expires_at === null ? <span>No end</span> : <Day at={expires_at} timeZone={timeZone} />,
  },
  { header: "Given", align: "end", cell: ({ given }) => (given === 1 ? "once" : `${given} times`) },
  {
    header: "Next",
    cell: ({ next_at }) => (next_at === null ? <Nothing /> : <Day at={next_at} timeZone={timeZone} />),
  },
  {
    header: "In all",
    align: "end",
    cell: ({ total_minor, currency }) =>
      total_minor === null ? <Nothing /> : <Amount minor={total_minor} currency={currency} />,
  },
];
