import { badParameter, refused } from "../http/refusal.ts";
import { type Call, pathId, type Reply, type Route } from "../http/route.ts";
import { stripeBalanceOf } from "../payments/balance.ts";
import { supportedCurrency } from "../payments/currencies.ts";
import { cancelPayout, createPayout } from "../payments/payouts.ts";
import { integer, mergedMetadata, requiredText, textChanges } from "../schema/access.ts";
import { emit } from "./emit.ts";
import { render } from "./render.ts";

export const payoutRoutes: readonly Route[] = [
  {
    operation: "POST /v1/payouts",
    honours: ["amount", "currency", "description", "metadata", "statement_descriptor"],
    handle: create,
  },
  { operation: "POST /v1/payouts/{payout}", honours: ["metadata"], handle: update },
  { operation: "POST /v1/payouts/{payout}/cancel", honours: [], handle: cancel },
  { operation: "GET /v1/balance", honours: [], handle: balance },
];

function create(call: Call): Reply {
  const { tx, params } = call;
  const currency = supportedCurrency(requiredText(params, "currency"));
  const amount = integer(params, "amount") ?? 0;
  if (amount < 1) throw badParameter("Invalid positive integer", "amount", "parameter_invalid_integer");
  const texts = textChanges(params, ["description", "statement_descriptor"]);
  const metadata = mergedMetadata(params);
  return render(tx, createPayout(call, { amount, currency, automatic: false, metadata, ...texts }));
}

function update(call: Call): Reply {
  const { tx, params } = call;
  const before = tx.get("payout", pathId(call, "payout"));
  const after = tx.put({ ...before, metadata: mergedMetadata(params, before.metadata) });
  emit(call, "payout.updated", after, before);
  return render(tx, after);
}

function cancel(call: Call): Reply {
  const payout = call.tx.get("payout", pathId(call, "payout"));
  if (payout.status !== "pending" || payout.automatic) {
    throw refused("Payouts can only be canceled while they are pending.", "payout_not_allowed");
  }
  return render(call.tx, cancelPayout(call, payout));
}

function balance({ tx }: Call): Reply {
  const balances = [...stripeBalanceOf(tx)];
  const of = (amount: (each: { available: number; pending: number }) => number) =>
    balances.map(([currency, each]) => ({
      amount: amount(each),
      currency,
      source_types: { card: amount(each) },
    }));
  return {
    object: "balance",
    livemode: false,
    available: of(({ available }) => available),
    pending: of(({ pending }) => pending),
  };
}
