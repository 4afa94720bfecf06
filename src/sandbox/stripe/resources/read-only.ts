import { createdWithin, page } from "../http/lists.ts";
import { badParameter } from "../http/refusal.ts";
import { type Call, listParameters, type Reply, type Route } from "../http/route.ts";
import { object, text } from "../schema/access.ts";
import { isIndexed } from "../state/collection.ts";
import type { Kind, Objects } from "../state/objects.ts";
import { render } from "./render.ts";

type Listing<K extends Kind> = {
  readonly kind: K;
  readonly path: string;
  readonly idName: string;
  /** Query parameters that must equal the field of the same name. */
  readonly filters: readonly string[];
};

/** `retrieve` and `list` of objects that only other operations create. */
function readOnly<K extends Kind>({ kind, path, idName, filters }: Listing<K>): readonly Route[] {
  return [
    {
      operation: `GET ${path}`,
      honours: [...listParameters, "created", ...filters],
      handle: (call) => listAll(call, kind, path, filters),
    },
    {
      operation: `GET ${path}/{${idName}}`,
      honours: [],
      handle: ({ tx, path: ids }) => render(tx, tx.get(kind, ids[idName] ?? "")),
    },
  ];
}

function listAll(call: Call, kind: Kind, path: string, filters: readonly string[]): Reply {
  const { tx, params } = call;
  const isWithin = createdWithin(params);
  const wanted = filters
    .flatMap((field) => ({ field, value: text(params, field) ?? "" }))
    .filter(({ value }) => value !== "");
  const [indexed] = wanted.flatMap(({ field, value }) => (isIndexed(field) ? { field, value } : []));
  const all: Objects[Kind][] = tx.list(kind, indexed);
  const rows = all.filter((row) => isWithin(row) && wanted.every((want) => hasField(row, want)));
  return page(params, path, rows, (row) => render(tx, row));
}

function hasField(row: object, want: { field: string; value: string }): boolean {
  return Object.entries(row).some(([name, value]) => name === want.field && value === want.value);
}

/** A payment is asked for as `payment[type]=payment_intent&payment[payment_intent]=pi_…`. */
function listInvoicePayments(call: Call): Reply {
  const payment = object(call.params, "payment");
  const intent = payment && text(payment, "payment_intent");
  if (payment && intent === undefined) {
    throw badParameter(
      "The stand-in has payments by payment_intent only.",
      "payment[payment_intent]",
      "parameter_missing",
    );
  }
  const params = intent === undefined ? call.params : { ...call.params, payment_intent: intent };
  return listAll({ ...call, params }, "invoice_payment", "/v1/invoice_payments", [
    "invoice",
    "status",
    "payment_intent",
  ]);
}

export const readOnlyRoutes: readonly Route[] = [
  ...readOnly({
    kind: "charge",
    path: "/v1/charges",
    idName: "charge",
    filters: ["customer", "payment_intent"],
  }),
  ...readOnly({
    kind: "balance_transaction",
    path: "/v1/balance_transactions",
    idName: "id",
    filters: ["currency", "source", "type"],
  }),
  ...readOnly({
    kind: "dispute",
    path: "/v1/disputes",
    idName: "dispute",
    filters: ["charge", "payment_intent"],
  }),
  ...readOnly({ kind: "payout", path: "/v1/payouts", idName: "payout", filters: ["destination", "status"] }),
  {
    operation: "GET /v1/invoice_payments",
    honours: [...listParameters, "created", "invoice", "status", "payment"],
    handle: listInvoicePayments,
  },
  {
    operation: "GET /v1/invoice_payments/{invoice_payment}",
    honours: [],
    handle: ({ tx, path }) => render(tx, tx.get("invoice_payment", path.invoice_payment ?? "")),
  },
];
