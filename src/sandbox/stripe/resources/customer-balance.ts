import { page } from "../http/lists.ts";
import { type Call, listParameters, pathId, type Reply, type Route } from "../http/route.ts";
import { supportedCurrency } from "../payments/currencies.ts";
import { integer, mergedMetadata, requiredText, textChanges } from "../schema/access.ts";
import type { Customer, CustomerBalanceTransaction } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { liveCustomer } from "./live-customer.ts";
import { render } from "./render.ts";

export const customerBalanceRoutes: readonly Route[] = [
  {
    operation: "POST /v1/customers/{customer}/balance_transactions",
    honours: ["amount", "currency", "description", "metadata"],
    handle: adjust,
  },
  {
    operation: "GET /v1/customers/{customer}/balance_transactions",
    honours: [...listParameters],
    handle: listAll,
  },
];

type BalanceMove = Pick<CustomerBalanceTransaction, "amount" | "currency" | "type"> & {
  readonly invoice?: string;
};

/** Changes what the customer owes (positive) or is owed (negative) and books why. */
export function moveBalance(
  tx: Transaction,
  customer: Customer,
  move: BalanceMove,
): CustomerBalanceTransaction {
  const endingBalance = customer.balance + move.amount;
  tx.put({ ...customer, balance: endingBalance, currency: customer.currency ?? move.currency });
  return tx.put({
    id: tx.newId("cbtxn"),
    object: "customer_balance_transaction",
    created: tx.now,
    livemode: false,
    customer: customer.id,
    ending_balance: endingBalance,
    metadata: {},
    ...move,
  });
}

function adjust(call: Call): Reply {
  const { tx, params } = call;
  const customer = liveCustomer(tx, pathId(call, "customer"), "id");
  const amount = integer(params, "amount") ?? 0;
  const currency = supportedCurrency(requiredText(params, "currency"));
  const moved = moveBalance(tx, customer, { amount, currency, type: "adjustment" });
  const described = { ...moved, ...textChanges(params, ["description"]), metadata: mergedMetadata(params) };
  return render(tx, tx.put(described));
}

function listAll(call: Call): Reply {
  const { tx, params } = call;
  const customer = liveCustomer(tx, pathId(call, "customer"), "id");
  const rows = tx.list("customer_balance_transaction", { field: "customer", value: customer.id });
  return page(params, `/v1/customers/${customer.id}/balance_transactions`, rows, (row) => render(tx, row));
}
