import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { isoOf } from "../../src/domain/calendar/index.ts";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import { loadNow, median } from "../figures.ts";
import { cpuMeter } from "../ledger/cpu.ts";
import type { BenchServer } from "../ledger/server.ts";
import { addCustomers, customerId, january, takeInUsage } from "./billed-customers.ts";

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

/** Closes the first month of customers who are billed 20 lines each, one after the other on one connection. */
export async function measureCloses(
  server: BenchServer,
  { runs, closes }: { readonly runs: number; readonly closes: number },
  note: Note,
): Promise<CloseFigures> {
  const db = openDatabase({ url: server.appUrl, poolSize: 1 });
  try {
    const customers = (runs + 1) * closes;
    await addCustomers(db, customers);
    for (let number = 0; number < customers; number++) {
      if (number % 100 === 0) note(`${number} of ${customers} subscriptions`);
      await subscribe(db, number);
    }
    await takeInUsage(db, { customers, eventsEach: 24, models: 6 }, note);
    await server.checkpoint();
    // The first run is not counted: then the compiler, the caches and the plans of statements are as they will be.
    await closeMonths(db, server, 0, closes);
    const counted: CloseRun[] = [];
    for (let run = 1; run <= runs; run++) {
      note(`run ${run} of ${runs}`);
      counted.push(await closeMonths(db, server, run * closes, closes));
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
    await db.close();
  }
}

async function subscribe(db: Database, number: number): Promise<void> {
  const id = customerId(number);
  const items = [{ planKey: "team", seats: 3 }];
  const at = isoOf(january.start);
  await openSubscription(db, { subscriptionId: id, customerId: id, requestId: "open", at, items });
}

async function closeMonths(
  db: Database,
  server: BenchServer,
  from: number,
  closes: number,
): Promise<CloseRun> {
  const load = loadNow();
  const startedAt = performance.now();
  const cpu = cpuMeter(server.pid);
  for (let number = from; number < from + closes; number++) {
    const outcome = await closePeriodOnce(
      db,
      {
        subscriptionId: customerId(number),
        periodStart: isoOf(january.start),
        at: "2026-02-01T01:00:00.000Z",
      },
      { usageWaitMsMax: 0 },
    );
    if (outcome.outcome !== "closed") throw new Error(`a period was not closed: ${outcome.outcome}`);
  }
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

async function requireLines({ sql }: Database, closes: number, from: number): Promise<void> {
  const [found] = await sql<[{ invoices: number; least: number; most: number }]>`
    select count(*)::int as invoices, min(lines)::int as least, max(lines)::int as most
    from (select count(*) as lines from billing.invoice join billing.invoice_line on invoice_id = id
      where invoice.kind = 'cycle' and customer_id >= ${customerId(from)} and customer_id < ${customerId(from + closes)}
      group by invoice.id) as closed`;
  if (found.invoices !== closes || found.least !== linesEach || found.most !== linesEach) {
    throw new Error(`${found.invoices} invoices of ${found.least} to ${found.most} lines were stored`);
  }
}
