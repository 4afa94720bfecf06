import { arrayLiteral } from "../array-literal.ts";
import { rows, sql, type Tx } from "../database.ts";

/** What a search can find. */
export const foundTypes = [
  "customer",
  "subscription",
  "invoice",
  "payment",
  "credit_note",
  "credit_grant",
  "refund",
  "dispute",
  "adjustment",
  "journal_entry",
] as const;
export type FoundType = (typeof foundTypes)[number];

export interface Found {
  readonly type: FoundType;
  readonly id: string;
  /** What people call it: a name, a number; its id where it has neither. */
  readonly title: string;
  readonly customerId: string | null;
  readonly customerName: string | null;
  /** The invoice on whose page it is to be seen; null where it is on another page. */
  readonly invoiceId: string | null;
}

/** The index knows names by groups of three letters or digits: without one of them all customers would be read. */
export const isPart = (text: string): boolean => /[\p{L}\p{N}]{3}/u.test(text);

/**
 * Whatever is called so: by an id of ours or of Stripe's, or by a number. Each lookup is one by an index.
 * @param names the text that was asked for, and the ids in it
 */
export async function findByName(tx: Tx, names: readonly string[]): Promise<Found[]> {
  const isNamed = sql`= any (${arrayLiteral(names)}::text[])`;
  const entryIds = names.filter((name) => /^\d{1,18}$/.test(name));
  return await rows<Found>(
    tx,
    sql`select found.type, found.id, found.title, found.customer_id as "customerId",
          (select name from billing.customer where id = found.customer_id) as "customerName", found.invoice_id as "invoiceId"
        from (
          select 'customer' as type, id, name as title, id as customer_id, null as invoice_id from billing.customer
            where id ${isNamed} or stripe_customer_id ${isNamed}
          union all select 'subscription', id, id, customer_id, null from billing.subscription where id ${isNamed}
          union all select 'invoice', id, number, customer_id, id from billing.invoice
            where id ${isNamed} or number ${isNamed} or stripe_invoice_id ${isNamed} or stripe_payment_intent_id ${isNamed}
          union all select 'payment', payment.stripe_payment_intent_id, payment.stripe_payment_intent_id,
              invoice.customer_id, invoice.id
            from billing.payment join billing.invoice on invoice.id = payment.invoice_id
            where payment.stripe_payment_intent_id ${isNamed} or payment.stripe_charge_id ${isNamed}
          union all select 'credit_note', note.id, coalesce(issued.number, note.id), note.customer_id, note.invoice_id
            from billing.credit_note_request as note left join billing.credit_note as issued on issued.id = note.id
            where note.id in (select id from billing.credit_note where number ${isNamed}) or note.id ${isNamed}
          union all select 'credit_grant', id, id, customer_id, null from billing.credit_grant where id ${isNamed}
          union all select 'refund', id, id, customer_id, invoice_id from billing.refund
            where id ${isNamed} or stripe_refund_id ${isNamed}
          union all select 'dispute', stripe_dispute_id, stripe_dispute_id, customer_id, invoice_id
            from billing.invoice_dispute where stripe_dispute_id ${isNamed}
          union all select 'adjustment', id, id, customer_id, null from billing.adjustment where id ${isNamed}
          union all select 'journal_entry', id::text, source_key, customer_id, metadata ->> 'invoice_id'
            from ledger.journal_entry where id = any (${arrayLiteral(entryIds)}::text::bigint[])
        ) as found`,
  );
}

/** Invoices whose number begins so, in the order of their numbers. */
export async function findInvoicesByBeginning(tx: Tx, beginning: string, limit: number): Promise<Found[]> {
  return await rows<Found>(
    tx,
    // What begins so is less than what begins with the same letters and the highest one after them.
    sql`select 'invoice' as type, invoice.id, invoice.number as title, invoice.customer_id as "customerId",
          customer.name as "customerName", invoice.id as "invoiceId"
        from (select id, number, customer_id from billing.invoice
          where number ~>=~ ${beginning} and number ~<~ ${`${beginning}\u{10FFFF}`}
          order by number using ~<~ limit ${limit}) as invoice
        join billing.customer on customer.id = invoice.customer_id order by invoice.number`,
  );
}

/** So many are looked at; who is called exactly so comes before who is not. */
const candidatesMax = 200;

/**
 * Customers with this part in their id, name or e-mail address, in whatever case. Of more than 200 that have it, some.
 * @param tx a transaction: its statements are planned for the very text, because a common part is found best by reading
 *   on until there are enough, and a rare one only by the index
 */
export async function findCustomersByPart(tx: Tx, part: string, limit: number): Promise<Found[]> {
  const pattern = `%${part.replace(/[\\%_]/g, "\\$&")}%`;
  await tx.execute(sql`select set_config('plan_cache_mode', 'force_custom_plan', true)`);
  return await rows<Found>(
    tx,
    sql`select 'customer' as type, id, name as title, id as "customerId", name as "customerName", null as "invoiceId"
        from (select id, name, email from billing.customer
          where id ilike ${pattern} or name ilike ${pattern} or email ilike ${pattern} limit ${candidatesMax}) as candidate
        order by lower(${part}) in (lower(id), lower(name), lower(email)) desc,
          starts_with(lower(name), lower(${part})) desc, name, id
        limit ${limit}`,
  );
}
