import { rerateAll } from "../../src/db/billing/rerating-run.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import { loadNow, median, stopwatch } from "../figures.ts";
import { cpuMeter } from "../ledger/cpu.ts";
import type { BenchServer } from "../ledger/server.ts";
import { addCustomers, january, takeInUsage } from "./billed-customers.ts";

export interface RerateRun {
  readonly load: number;
  readonly seconds: number;
  /** Microseconds of CPU for each subscription: of this process, and of PostgreSQL with all its backends. */
  readonly nodeMicros: number;
  readonly postgresMicros: number;
}

export interface RerateFigures {
  readonly subscriptions: number;
  readonly events: number;
  readonly lines: number;
  readonly medianSeconds: number;
  readonly medianNodeMicros: number;
  readonly medianPostgresMicros: number;
  readonly runs: readonly RerateRun[];
}

const eventsEach = 10;
const modelsUsed = 2;
const linesEach = 6;

/** Rates January of so many subscriptions from windows, in the middle of it, as `npm run rating:rerate` does. */
export async function measureRerating(
  server: BenchServer,
  { runs, subscriptions }: { readonly runs: number; readonly subscriptions: number },
  note: Note,
): Promise<RerateFigures> {
  const db = openDatabase({ url: server.appUrl, poolSize: 2 });
  const owner = openDatabase({ url: server.ownerUrl, poolSize: 1 });
  try {
    await addCustomers(db, subscriptions);
    await addSubscriptions(db);
    await takeInUsage(db, { customers: subscriptions, eventsEach, models: modelsUsed, month: january }, note);
    note("vacuum");
    await owner.sql`vacuum (analyze)`;
    await server.checkpoint();
    const counted: RerateRun[] = [];
    for (let run = 1; run <= runs; run++) counted.push(await rerate(db, server, subscriptions, note));
    const medianOf = (figure: (run: RerateRun) => number) => median(counted.map(figure));
    return {
      subscriptions,
      events: subscriptions * eventsEach,
      lines: subscriptions * linesEach,
      medianSeconds: medianOf(({ seconds }) => seconds),
      medianNodeMicros: medianOf(({ nodeMicros }) => nodeMicros),
      medianPostgresMicros: medianOf(({ postgresMicros }) => postgresMicros),
      runs: counted,
    };
  } finally {
    await Promise.all([db.close(), owner.close()]);
  }
}

async function rerate(
  db: Database,
  server: BenchServer,
  subscriptions: number,
  note: Note,
): Promise<RerateRun> {
  const load = loadNow();
  const seconds = stopwatch();
  const cpu = cpuMeter(server.pid);
  const result = await rerateAll(db, {
    now: instant("2026-01-15T12:00:00Z"),
    closedIn: null,
    pagesAtOnce: 2,
    onStep: (done, all) => note(`${done} of ${all} subscriptions`),
  });
  const { client, server: postgres = Number.NaN } = cpu();
  if (result.openPeriods !== subscriptions || result.lines !== subscriptions * linesEach) {
    throw new Error(`${result.openPeriods} periods with ${result.lines} lines were rated`);
  }
  const each = (cpuSeconds: number) => Math.round((cpuSeconds * 1e6) / subscriptions);
  return { load, seconds: seconds(), nodeMicros: each(client), postgresMicros: each(postgres) };
}

/** One for each customer, on the plan with six usage prices, since the first of January. */
async function addSubscriptions({ sql }: Database): Promise<void> {
  const start = new Date(january.start).toISOString();
  const end = new Date(january.end).toISOString();
  await sql`
    insert into billing.subscription (id, customer_id, status, started_at, interval_unit, interval_count, time_zone, currency,
      grace_seconds, billed_through, next_close_at)
    select id, id, 'active', ${start}::timestamptz, 'month', 1, 'UTC', 'usd', 3600, ${start}::timestamptz, ${end}::timestamptz
    from billing.customer`;
  await sql`
    insert into billing.subscription_terms (subscription_id, effective_at, change_id, items, paused)
    select id, started_at, 'open', '[{"planKey": "pro", "planVersion": 1, "seats": 1}]', false from billing.subscription`;
}
