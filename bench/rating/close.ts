import { closePeriodsTogether } from "../../src/activities/close-together.ts";
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

/** How many are closed in one transaction. */
export const closedTogether = 20;

/** Of closes one by one, and of those that are closed together. */
export interface CloseFigures {
  readonly lines: number;
  readonly alone: MeasuredCloses;
  readonly together: MeasuredCloses;
}

export interface MeasuredCloses {
  readonly medianNodeMicros: number;
  readonly medianPostgresMicros: number;
  readonly medianMicros: number;
  readonly runs: readonly CloseRun[];
}

const linesEach = 20;

/**
 * Closes February of customers who are billed 20 lines each on one connection, one after the other and then many in a transaction.
 * January was closed before, so that accounts are open, as they are for most of the periods that are ever closed.
 */
export async function measureCloses(
  server: BenchServer,
  { runs, closes }: { readonly runs: number; readonly closes: number },
  note: Note,
): Promise<CloseFigures> {
  const db = openDatabase({ url: server.appUrl, poolSize: 1 });
  const owner = openDatabase({ url: server.ownerUrl, poolSize: 1 });
  try {
    const ofOneSeries = (runs + 1) * closes;
    const customers = 2 * ofOneSeries;
    await addCustomers(db, customers);
    for (let number = 0; number < customers; number++) {
      if (number % 100 === 0) note(`${number} of ${customers} subscriptions`);
      await subscribe(db, number);
    }
    const used = { customers, eventsEach: 24, models: 6 };
    for (const month of [january, february]) await takeInUsage(db, { ...used, month }, note);
    note("closing January");
    await closeMonths(db, january, { from: 0, closes: customers, together: closedTogether });
    await owner.sql`vacuum (analyze)`;
    await server.checkpoint();
    const series = async (from: number, together: number): Promise<MeasuredCloses> => {
      // The first run is not counted: then the compiler, the caches and the plans of statements are as they will be.
      await measured(db, server, { from, closes, together });
      const counted: CloseRun[] = [];
      for (let run = 1; run <= runs; run++) {
        note(`run ${run} of ${runs}, ${together} together`);
        counted.push(await measured(db, server, { from: from + run * closes, closes, together }));
      }
      return mediansOf(counted);
    };
    const alone = await series(0, 1);
    return { lines: linesEach, alone, together: await series(ofOneSeries, closedTogether) };
  } finally {
    await Promise.all([db.close(), owner.close()]);
  }
}

function mediansOf(runs: readonly CloseRun[]): MeasuredCloses {
  const medianOf = (figure: (run: CloseRun) => number) => Math.round(median(runs.map(figure)));
  return {
    medianNodeMicros: medianOf(({ nodeMicros }) => nodeMicros),
    medianPostgresMicros: medianOf(({ postgresMicros }) => postgresMicros),
    medianMicros: medianOf(({ nodeMicros, postgresMicros }) => nodeMicros + postgresMicros),
    runs,
  };
}

async function subscribe(db: Database, number: number): Promise<void> {
  const id = customerId(number);
  const items = [{ planKey: "team", seats: 3 }];
  const at = isoOf(january.start);
  await openSubscription(db, { subscriptionId: id, customerId: id, requestId: "open", at, items });
}

interface Closes {
  /** The number of the first customer. */
  readonly from: number;
  readonly closes: number;
  /** In each transaction. */
  readonly together: number;
}

async function measured(db: Database, server: BenchServer, of: Closes): Promise<CloseRun> {
  const { from, closes } = of;
  const load = loadNow();
  const startedAt = performance.now();
  const cpu = cpuMeter(server.pid);
  await closeMonths(db, february, of);
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

async function closeMonths(db: Database, month: Period, { from, closes, together }: Closes): Promise<void> {
  const at = isoOf(instantOfEpochMs(month.end + 3_600_000));
  const periodStart = isoOf(month.start);
  for (let first = from; first < from + closes; first += together) {
    const inputs = Array.from({ length: Math.min(together, from + closes - first) }, (_, place) => ({
      subscriptionId: customerId(first + place),
      periodStart,
      at,
    }));
    for (const closed of await closePeriodsTogether(db, inputs, { usageWaitMsMax: 0 })) {
      if (closed.status === "rejected") throw closed.reason;
      if (closed.value.outcome !== "closed")
        throw new Error(`a period was not closed: ${closed.value.outcome}`);
    }
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
