import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { instantOfEpochMs, isoOf, type Period } from "../../src/domain/calendar/index.ts";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import { loadNow, median } from "../figures.ts";
import { cpuMeter } from "../ledger/cpu.ts";
import type { BenchServer } from "../ledger/server.ts";
import { addCustomers, customerId, february, january, takeInUsage } from "./billed-customers.ts";

export interface CloseRun {
  readonly load: number;
  readonly closes: number;
  /** Microseconds of CPU for each close: of this process, and of PostgreSQL with all its backends. */
  readonly nodeMicros: number;
  readonly postgresMicros: number;
  readonly elapsedMicros: number;
}

export interface CloseFigures {
  readonly lines: number;
  readonly medianNodeMicros: number;
  readonly medianPostgresMicros: number;
  readonly medianMicros: number;
  readonly runs: readonly CloseRun[];
}

const linesEach = 20;

/**
 * Closes February of customers who are billed 20 lines each, one after the other on one connection. January was closed before,
 * so that accounts are open, as they are for most of the periods that are ever closed.
 */
export async function measureCloses(
  server: BenchServer,
  { runs, closes }: { readonly runs: number; readonly closes: number },
  note: Note,
): Promise<CloseFigures> {
  const db = openDatabase({ url: server.appUrl, poolSize: 1 });
  const owner = openDatabase({ url: server.ownerUrl, poolSize: 1 });
  try {
    const customers = (runs + 1) * closes;
    await addCustomers(db, customers);
    for (let number = 0; number < customers; number++) {
      if (number % 100 === 0) note(`${number} of ${customers} subscriptions`);
      await subscribe(db, number);
    }
    const used = { customers, eventsEach: 24, models: 6 };
    for (const month of [january, february]) await takeInUsage(db, { ...used, month }, note);
    note("closing January");
    await closeMonths(db, january, 0, customers);
    await owner.sql`vacuum (analyze)`;
    await server.checkpoint();
    // The first run is not counted: then the compiler, the caches and the plans of statements are as they will be.
    await measured(db, server, 0, closes);
    const counted: CloseRun[] = [];
    for (let run = 1; run <= runs; run++) {
      note(`run ${run} of ${runs}`);
      counted.push(await measured(db, server, run * closes, closes));
    }
    const medianOf = (figure: (run: CloseRun) => number) => Math.round(median(counted.map(figure)));
    return {
      lines: linesEach,
      medianNodeMicros: medianOf(({ nodeMicros }) => nodeMicros),
      medianPostgresMicros: medianOf(({ postgresMicros }) => postgresMicros),
      medianMicros: medianOf(({ nodeMicros, postgresMicros }) => nodeMicros + postgresMicros),
      runs: counted,
    };
  } finally {
    await Promise.all([db.close(), owner.close()]);
  }
}

async function subscribe(db: Database, number: number): Promise<void> {
  const id = customerId(number);
  const items = [{ planKey: "team", seats: 3 }];
  const at = isoOf(january.start);
  await openSubscription(db, { subscriptionId: id, customerId: id, requestId: "open", at, items });
}

async function measured(db: Database, server: BenchServer, from: number, closes: number): Promise<CloseRun> {
  const load = loadNow();
  const startedAt = performance.now();
  const cpu = cpuMeter(server.pid);
  await closeMonths(db, february, from, closes);
  const { client, server: postgres = Number.NaN } = cpu();
  const elapsed = (performance.now() - startedAt) / 1_000;
  await requireLines(db, closes, from);
  const each = (seconds: number) => Math.round((seconds * 1e6) / closes);
  return {
    load,
    closes,
    nodeMicros: each(client),
    postgresMicros: each(postgres),
    elapsedMicros: each(elapsed),
  };
}

async function closeMonths(db: Database, month: Period, from: number, closes: number): Promise<void> {
  const at = isoOf(instantOfEpochMs(month.end + 3_600_000));
  for (let number = from; number < from + closes; number++) {
    const of = { subscriptionId: customerId(number), periodStart: isoOf(month.start), at };
    const { outcome } = await closePeriodOnce(db, of, { usageWaitMsMax: 0 });
    if (outcome !== "closed") throw new Error(`a period was not closed: ${outcome}`);
  }
}

async function requireLines({ sql }: Database, closes: number, from: number): Promise<void> {
  const [found] = await sql<[{ invoices: number; least: number; most: number }]>`
    select count(*)::int as invoices, min(lines)::int as least, max(lines)::int as most
    from (select count(*) as lines from billing.invoice join billing.invoice_line on invoice_id = id
      where invoice.kind = 'cycle' and invoice.period_start = ${isoOf(february.start)} and customer_id >= ${customerId(from)} and customer_id < ${customerId(from + closes)}
      group by invoice.id) as closed`;
  if (found.invoices !== closes || found.least !== linesEach || found.most !== linesEach) {
    throw new Error(`${found.invoices} invoices of ${found.least} to ${found.most} lines were stored`);
  }
}
