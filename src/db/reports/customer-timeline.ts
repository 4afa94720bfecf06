import type { SQL } from "drizzle-orm";
import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type NewestFirst, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { timestamp } from "../timestamp.ts";
import { type TimelineAbout, timelineSources } from "./timeline-sources.ts";

/** Something that happened to a customer. */
export interface TimelineItem {
  /** The kind and what it happened to: unique among what happened to one customer. */
  readonly id: string;
  readonly about: TimelineAbout;
  readonly kind: string;
  /** By the customer's clock. */
  readonly at: Instant;
  /** What it happened to, by its type and id. */
  readonly subjectType: string;
  readonly subjectId: string;
  readonly invoiceId: string | null;
  readonly amountMinor: string | null;
  readonly currency: string | null;
  /** Who did it; null where the system did. */
  readonly actor: string | null;
  /** In words or codes, as they were recorded. */
  readonly note: string | null;
  readonly workflow: string | null;
  /** The object at Stripe. */
  readonly stripeId: string | null;
}

/** All that happened to a customer, the newest first. Each source is read by an index, no further than the page needs. */
export async function customerTimeline(
  tx: Tx,
  { customerId, about }: { readonly customerId: string; readonly about: TimelineAbout | undefined },
  page: PageRequest<NewestFirst>,
): Promise<Page<TimelineItem, NewestFirst>> {
  const chosen = timelineSources(customerId).filter(
    (source) => about === undefined || source.about === about,
  );
  const parts = chosen.map((source) => newestOf(source.query, page));
  const found = await rows<Omit<TimelineItem, "at"> & { ms: bigint }>(
    tx,
    sql`select happened.*, (extract(epoch from at) * 1000)::bigint as ms
      from (${sql.join(parts, sql` union all `)}) as happened order by at desc, id desc limit ${rowsToRead(page)}`,
  );
  const items = found.map(({ ms, ...item }) => ({ ...item, at: instantOfEpochMs(Number(ms)) }));
  return pageOf(items, page, ({ at, id }) => ({ at, id }));
}

/** As instants are shown they have milliseconds: by these the list is in order and its pages meet. */
function newestOf(source: SQL, page: PageRequest<NewestFirst>): SQL {
  const { after } = page;
  const isOlder = after === undefined ? sql`true` : sql`(at, id) < (${timestamp(after.at)}, ${after.id})`;
  return sql`(select about, kind, id, at, subject_type as "subjectType", subject_id as "subjectId", invoice_id as "invoiceId",
      amount_minor::text as "amountMinor", currency, actor, note, workflow, stripe_id as "stripeId"
    from (select about, kind, kind || '/' || key as id, date_trunc('milliseconds', at) as at, subject_type, subject_id,
        invoice_id, amount_minor, currency, actor, note, workflow, stripe_id
      from (${source}) as source (about, kind, key, at, subject_type, subject_id, invoice_id, amount_minor, currency, actor, note, workflow, stripe_id)
    ) as happened where ${isOlder} order by at desc, id desc limit ${rowsToRead(page)})`;
}
