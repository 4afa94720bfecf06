import { page } from "../http/lists.ts";
import { badParameter, refused } from "../http/refusal.ts";
import { type Call, listParameters, pathId, type Reply, type Route } from "../http/route.ts";
import { testCardByNumber, testCardByToken } from "../payments/test-cards.ts";
import { integer, mergedMetadata, object, requiredText, text } from "../schema/access.ts";
import { emit } from "./emit.ts";
import { liveCustomer } from "./live-customer.ts";
import { render } from "./render.ts";
import { attach, newMethod, usableMethod } from "./saved-cards.ts";

export const paymentMethodRoutes: readonly Route[] = [
  {
    operation: "POST /v1/payment_methods",
    honours: ["type", "card", "billing_details", "metadata"],
    handle: create,
  },
  { operation: "GET /v1/payment_methods", honours: [...listParameters, "customer", "type"], handle: listAll },
  { operation: "GET /v1/payment_methods/{payment_method}", honours: [], handle: retrieve },
  {
    operation: "POST /v1/payment_methods/{payment_method}/attach",
    honours: ["customer"],
    handle: attachToCustomer,
  },
  { operation: "POST /v1/payment_methods/{payment_method}/detach", honours: [], handle: detach },
];

function create(call: Call): Reply {
  const { tx, params } = call;
  const type = requiredText(params, "type");
  if (type !== "card") throw badParameter(`The stand-in has only cards, not ${type}.`, "type");
  const card = object(params, "card") ?? {};
  const testCard = testCardByToken(text(card, "token") ?? "") ?? testCardByNumber(text(card, "number") ?? "");
  if (!testCard)
    throw badParameter("The stand-in knows Stripe's test cards only.", "card[number]", "incorrect_number");
  const month = integer(card, "exp_month");
  const year = integer(card, "exp_year");
  const method = newMethod(tx, testCard, { ...(month && { month }), ...(year && { year }) });
  const billing = { ...method.billing_details, ...object(params, "billing_details") };
  return render(tx, tx.put({ ...method, billing_details: billing, metadata: mergedMetadata(params) }));
}

function attachToCustomer(call: Call): Reply {
  const { tx, params } = call;
  const method = usableMethod(tx, pathId(call, "payment_method"), "id");
  const customer = liveCustomer(tx, requiredText(params, "customer"));
  return render(tx, attach(call, method, customer));
}

function detach(call: Call): Reply {
  const { tx } = call;
  const method = tx.get("payment_method", pathId(call, "payment_method"));
  if (!method.customer) {
    throw refused(
      "The payment method you provided is not attached to a customer so detachment is impossible.",
    );
  }
  const customer = tx.find("customer", method.customer);
  if (customer?.invoice_settings.default_payment_method === method.id) {
    tx.put({ ...customer, invoice_settings: { default_payment_method: null } });
  }
  const detached = tx.put({ ...method, customer: null });
  emit(call, "payment_method.detached", detached, method);
  return render(tx, detached);
}

function retrieve(call: Call): Reply {
  return render(call.tx, call.tx.get("payment_method", pathId(call, "payment_method")));
}

function listAll({ tx, params }: Call): Reply {
  const customer = text(params, "customer");
  const rows =
    customer === undefined
      ? tx.list("payment_method")
      : tx.list("payment_method", { field: "customer", value: customer });
  return page(params, "/v1/payment_methods", rows, (row) => render(tx, row));
}
