import { useQuery } from "@tanstack/react-query";
import { useCustomer } from "../customer/customer-context.ts";
import { sumOfDecimals } from "../format/decimal-text.ts";
import { Figure } from "../parts/figure-card.tsx";
import { Amount } from "../parts/figures.tsx";
import { balancesQuery } from "../reads/operation-queries.ts";

/** Of the chart of accounts: what a customer has with us beside credit grants. */
const balanceCode = "2200";

/** What pays coming invoices after credit grants. */
export function CustomerBalance() {
  const { id, currency } = useCustomer();
  const { data } = useQuery(balancesQuery(id));
  const label = "Customer balance";
  if (data === undefined) return <Figure label={label} />;
  const ofBalance = data.data.filter(({ account }) => account.startsWith(`${balanceCode}/${currency}/`));
  const minor = sumOfDecimals(ofBalance.map(({ balance_minor }) => balance_minor));
  return (
    <Figure
      label={label}
      value={<Amount minor={minor} currency={currency} />}
      note="Pays coming invoices, after credit grants"
    />
  );
}
