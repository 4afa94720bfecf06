import { noSuch } from "../http/refusal.ts";
import type { Customer } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";

/** A customer that exists and was not deleted. */
export function liveCustomer(tx: Transaction, id: string, param = "customer"): Customer {
  const customer = tx.get("customer", id, param);
  if (customer.deleted) throw noSuch("customer", id, param);
  return customer;
}
