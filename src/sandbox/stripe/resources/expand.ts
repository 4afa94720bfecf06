import { list } from "../http/lists.ts";
import { badParameter } from "../http/refusal.ts";
import type { Reply } from "../http/route.ts";
import { nodeOf, nodeOfField, type ReplyNode } from "../schema/replies.ts";
import type { Kind } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { render } from "./render.ts";

const depthMax = 4;

const kindByPrefix: Readonly<Record<string, Kind>> = {
  ch: "charge",
  cn: "credit_note",
  cs: "checkout.session",
  cus: "customer",
  du: "dispute",
  evt: "event",
  in: "invoice",
  inpay: "invoice_payment",
  pi: "payment_intent",
  pm: "payment_method",
  po: "payout",
  re: "refund",
  seti: "setup_intent",
  txn: "balance_transaction",
};

/** Replaces ids by the objects they name, along each of `paths` (`"payments.data.payment.payment_intent"`). */
export function expandReply(tx: Transaction, reply: Reply, paths: readonly string[]): Reply {
  let expanded: unknown = reply;
  for (const path of paths) {
    const fields = path.split(".");
    const isList = reply.object === "list";
    if (fields.length > depthMax + (isList ? 1 : 0)) {
      throw badParameter(`You cannot expand more than ${depthMax} levels of a property (${path}).`, "expand");
    }
    expanded = expandAlong(tx, expanded, undefined, fields, path);
  }
  return expanded as Reply;
}

function expandAlong(
  tx: Transaction,
  value: unknown,
  parentNode: ReplyNode | undefined,
  fields: readonly string[],
  path: string,
): unknown {
  const [field, ...rest] = fields;
  if (field === undefined || value === null || value === undefined) return value;
  if (Array.isArray(value)) return value.map((item) => expandAlong(tx, item, parentNode, fields, path));
  if (typeof value !== "object") throw notExpandable(path);
  const holder: Reply = { ...value };
  const inner = holder[field] ?? onRequest(tx, holder, field);
  if (holder.object === "list") {
    if (field !== "data") throw notExpandable(path);
    return { ...holder, data: expandAlong(tx, inner, undefined, rest, path) };
  }
  const node = typeof holder.object === "string" ? nodeOf(holder.object) : parentNode;
  if (!node?.["x-expandableFields"]?.includes(field)) throw notExpandable(path);
  const object = typeof inner === "string" ? objectOf(tx, inner) : inner;
  return { ...holder, [field]: expandAlong(tx, object, nodeOfField(node, field), rest, path) };
}

function objectOf(tx: Transaction, id: string): unknown {
  const kind = kindByPrefix[id.split("_")[0] ?? ""];
  const row = kind && tx.find(kind, id);
  return row ? render(tx, row) : id;
}

/** Fields that are sent only when `expand` asks for them. */
function onRequest(tx: Transaction, holder: Reply, field: string): unknown {
  const id = String(holder.id);
  if (holder.object === "invoice" && field === "payments") {
    const payments = tx.list("invoice_payment", { field: "invoice", value: id });
    return list(
      `/v1/invoice_payments?invoice=${id}`,
      payments.map((payment) => render(tx, payment)),
      false,
    );
  }
  if (holder.object === "invoice" && field === "confirmation_secret") {
    const payment = tx.list("invoice_payment", { field: "invoice", value: id })[0];
    const intent = payment && tx.find("payment_intent", payment.payment_intent);
    return intent ? { client_secret: intent.client_secret, type: "payment_intent" } : null;
  }
  if (holder.object === "charge" && field === "refunds") {
    const refunds = tx.list("refund", { field: "charge", value: id });
    return list(
      `/v1/charges/${id}/refunds`,
      refunds.map((refund) => render(tx, refund)),
      false,
    );
  }
  return null;
}

function notExpandable(path: string) {
  return badParameter(`This property cannot be expanded (${path}).`, "expand");
}
