import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EventContribution, eventBilling } from "../../src/db/billing/event-billing.ts";
import {
  eventsOfLine,
  findRatedLine,
  type LineEvent,
  type LineEventPosition,
  type RatedLine,
} from "../../src/db/billing/line-events.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { findEventRecord } from "../../src/db/usage/event-records.ts";
import { usageAccounting } from "../../src/db/usage/usage-accounting.ts";
import { decimal, sumDecimals, zero } from "../../src/domain/money/index.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { tellBilledStory } from "./billed-story.ts";

interface BilledLine {
  readonly invoice_id: string;
  readonly line: number;
  readonly kind: string;
  readonly quantity: string | null;
}

let db: Database;
let lines: readonly BilledLine[];
const ending: (() => unknown)[] = [];
beforeAll(async () => {
  const { appUrl, drop } = await cloneDatabase();
  db = openDatabase({ url: appUrl, poolSize: 4 });
  const story = await tellBilledStory(db);
  ending.push(story.close, drop, () => db.close());
  lines = await db.sql<BilledLine[]>`
    select invoice_id, line, kind, quantity::text as quantity from billing.invoice_line order by invoice_id, line`;
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

const isUsage = ({ kind }: BilledLine) => kind === "usage" || kind === "late_usage";

async function ratedLine({ invoice_id, line }: BilledLine): Promise<RatedLine> {
  const rated = await findRatedLine(db.orm, invoice_id, line);
  if (rated === undefined) throw new Error(`line ${line} of ${invoice_id} bills no usage`);
  return rated;
}

/** All of them, by pages of one. */
async function eventsOf(line: BilledLine): Promise<LineEvent[]> {
  const rated = await ratedLine(line);
  const events: LineEvent[] = [];
  let after: LineEventPosition | undefined;
  do {
    const page = await eventsOfLine(db.orm, rated, { limit: 1, after });
    events.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return events;
}

const signed = ({ quantity, isTakenBack }: LineEvent) =>
  isTakenBack ? zero.minus(decimal(quantity)) : decimal(quantity);

const customers = ["acme", "bolt", "cedar", "dune", "elm"];

async function billingOf(id: string): Promise<EventContribution[]> {
  const accepted = (await findEventRecord(db.orm, "story", id))?.accepted;
  if (accepted == null) throw new Error(`event ${id} was not accepted`);
  return await eventBilling(db.orm, accepted);
}

const storyEvents = () =>
  db.sql<{ id: string }[]>`select id from usage.event where source = 'story' order by seq`;

describe("from an invoice line to its events", () => {
  test("there are lines of both kinds, and the others bill no usage", async () => {
    const kinds = new Set(lines.filter(isUsage).map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(["usage", "late_usage"]));
    for (const line of lines.filter((each) => !isUsage(each))) {
      expect(await findRatedLine(db.orm, line.invoice_id, line.line)).toBeUndefined();
    }
  });

  test("the events of every line add up to its quantity, late ones too", async () => {
    for (const line of lines.filter(isUsage)) {
      const { aggregation } = await ratedLine(line);
      const events = await eventsOf(line);
      expect(events, `${line.invoice_id}/${line.line}`).not.toEqual([]);
      if (aggregation === "sum") {
        expect(sumDecimals(events.map(signed)).text, `${line.invoice_id}/${line.line}`).toBe(line.quantity);
      } else {
        expect(line.kind === "late_usage" || events.some(({ quantity }) => quantity === line.quantity)).toBe(
          true,
        );
      }
    }
  });
});

describe("from an event to its lines", () => {
  test("both ways tell the same", async () => {
    const forth: string[] = [];
    for (const line of lines.filter(isUsage)) {
      for (const { id } of await eventsOf(line)) forth.push(`${id} in ${line.invoice_id}/${line.line}`);
    }
    const back: string[] = [];
    for (const { id } of await storyEvents()) {
      for (const { line, invoiceId } of (await billingOf(id)).flatMap(({ billed }) => billed)) {
        if (line !== null) back.push(`${id} in ${invoiceId}/${line}`);
      }
    }
    expect(back.length).toBeGreaterThan(10);
    expect(back.toSorted()).toEqual(forth.toSorted());
  });

  test("each event is billed by as many runs as the accounting of usage says: by one, or by none yet", async () => {
    const counted = { invoiced: 0, notInvoiced: 0 };
    for (const { id } of await storyEvents()) {
      const places = (await billingOf(id)).flatMap(({ billed }) => billed);
      const runs = new Set(
        places.map((place) => `${place.subscriptionId}/${place.periodStart}/${place.revision}`),
      );
      expect(runs.size).toBeLessThanOrEqual(1);
      counted[runs.size === 1 ? "invoiced" : "notInvoiced"] += 1;
    }
    const said = { invoiced: 0, notInvoiced: 0 };
    for (const customer of customers) {
      const { invoiced, notInvoiced, invoicedMoreThanOnce } = await usageAccounting(db.orm, customer);
      expect(invoicedMoreThanOnce).toBe(0);
      said.invoiced += invoiced;
      said.notInvoiced += notInvoiced;
    }
    expect(counted).toEqual(said);
  });

  test("what came after the last closing waits for the next", async () => {
    const last = (await storyEvents()).at(-1)?.id ?? "";
    const contributions = await billingOf(last);
    const waiting = contributions.flatMap(({ unbilled }) => unbilled);
    expect(waiting.map(({ reason, subscriptionId }) => ({ reason, subscriptionId }))).toEqual(
      contributions.map(() => ({ reason: "waiting", subscriptionId: "sub-acme" })),
    );
    expect(waiting.flatMap(({ prices }) => prices.map(({ price }) => price.key)).toSorted()).toEqual([
      "large",
      "peak",
    ]);
  });
});
