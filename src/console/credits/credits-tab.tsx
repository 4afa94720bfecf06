import { Group, Stack } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useCustomer } from "../customer/customer-context.ts";
import { DialogButton } from "../parts/dialog.tsx";
import { LoadedList } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { Section } from "../parts/section.tsx";
import { adjustmentsQuery, recurringGrantsQuery } from "../reads/operation-queries.ts";
import { creditGrantsQuery } from "../reads/queries.ts";
import { useRights } from "../session/rights.ts";
import { AdjustBalanceForm } from "./adjust-balance-form.tsx";
import { AdjustmentTable } from "./adjustment-table.tsx";
import { CustomerBalance } from "./customer-balance.tsx";
import { GrantForm } from "./grant-form.tsx";
import { GrantTable } from "./grant-table.tsx";
import { RecurringGrantForm } from "./recurring-grant-form.tsx";
import { RecurringGrantTable } from "./recurring-grant-table.tsx";

/** What a customer has with us, what is given again and again, and what was changed by hand. */
export function CreditsTab() {
  return (
    <Stack gap="xl">
      <Actions />
      <CustomerBalance />
      <Grants />
      <RecurringGrants />
      <Adjustments />
    </Stack>
  );
}

function Actions() {
  const customer = useCustomer();
  const { mayWrite } = useRights();
  if (!mayWrite) return null;
  return (
    <Group gap="xs">
      <DialogButton label="Grant credit" title={`Grant credit to ${customer.name}`}>
        <GrantForm customer={customer} />
      </DialogButton>
      <DialogButton label="Grant again and again" title={`Grant credit to ${customer.name}, again and again`}>
        <RecurringGrantForm customer={customer} />
      </DialogButton>
      <DialogButton label="Adjust the balance" title={`Adjust the balance of ${customer.name}`}>
        <AdjustBalanceForm customer={customer} />
      </DialogButton>
    </Group>
  );
}

function Grants() {
  const query = useInfiniteQuery(creditGrantsQuery(useCustomer().id));
  const none = (
    <EmptyNotice title="No credit">
      Credit that was bought or given appears here with what is left of it.
    </EmptyNotice>
  );
  return (
    <Section title="Credit grants">
      <LoadedList query={query} empty={none}>
        {(grants) => <GrantTable grants={grants} />}
      </LoadedList>
    </Section>
  );
}

function RecurringGrants() {
  const query = useInfiniteQuery(recurringGrantsQuery(useCustomer().id));
  const none = <EmptyNotice title="Nothing is given again and again" />;
  return (
    <Section title="Recurring credit">
      <LoadedList query={query} empty={none}>
        {(grants) => <RecurringGrantTable grants={grants} />}
      </LoadedList>
    </Section>
  );
}

function Adjustments() {
  const query = useInfiniteQuery(adjustmentsQuery(useCustomer().id));
  const none = (
    <EmptyNotice title="No adjustment">Nothing was given, changed or taken back by hand.</EmptyNotice>
  );
  return (
    <Section title="Adjustments">
      <LoadedList query={query} empty={none}>
        {(adjustments) => <AdjustmentTable adjustments={adjustments} />}
      </LoadedList>
    </Section>
  );
}
