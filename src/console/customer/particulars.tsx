import { wordsFor } from "../format/words.ts";
import { CopyableId } from "../parts/copyable-id.tsx";
import { type Definition, DefinitionList } from "../parts/definition-list.tsx";
import { Day, Nothing } from "../parts/figures.tsx";
import { Section } from "../parts/section.tsx";
import type { PaymentMethod } from "../reads/resources.ts";
import { useCustomer } from "./customer-context.ts";

/** What is on file about the customer. */
export function Particulars() {
  const { currency, time_zone, test_clock, payment_method, created_at } = useCustomer();
  const facts: Definition[] = [
    { key: "currency", name: "Currency", value: currency.toUpperCase() },
    { key: "zone", name: "Time zone", value: time_zone },
    {
      key: "card",
      name: "Payment method",
      value: payment_method === null ? <Nothing /> : cardText(payment_method),
    },
    { key: "since", name: "Customer since", value: <Day at={created_at} timeZone={time_zone} /> },
    {
      key: "clock",
      name: "Clock",
      value: test_clock === null ? "Real time" : <CopyableId id={test_clock} />,
    },
  ];
  return (
    <Section title="Particulars">
      <DefinitionList items={facts} />
    </Section>
  );
}

function cardText({ brand, last4, exp_month, exp_year }: PaymentMethod): string {
  return `${wordsFor(brand)} ending in ${last4}, expires ${String(exp_month).padStart(2, "0")}/${exp_year}`;
}
