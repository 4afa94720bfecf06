import { setTimeout as delay } from "node:timers/promises";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { checkInvariants, type InvariantNumber } from "../../src/db/invariants/invariants.ts";
import { addDuration, type Instant, instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import { workflowIds } from "../../src/workflows/messages.ts";
import { loadNow } from "../figures.ts";
import { customerId } from "../rating/billed-customers.ts";
import { countsOf, type HistoryCounts, sumOf } from "./history-counts.ts";
import { type CpuByPart, type SystemUnderTest, startSystemUnderTest } from "./system-under-test.ts";
import { activate, addPayingCustomers, forEach, graceMs, subscriptionOf, takeInMonth } from "./workload.ts";

export interface CyclesFigures {
  readonly mode: "workflow" | "paged";
  readonly engine: string;
  readonly load: number;
  readonly cycles: number;
  readonly linesEach: number;
  /** From the instant at which all were due: until all were issued and posted, and until all were paid and booked. */
  readonly issuedSeconds: number;
  readonly paidSeconds: number | undefined;
  readonly issuedPerSecond: number;
  readonly paidPerSecond: number | undefined;
  /** Milliseconds of CPU for each cycle until all were issued, by part; and from then until all were paid. */
  readonly issuedCpuMs: CpuByPart;
  readonly collectedCpuMs: CpuByPart;
  /** What the machine's cores would issue at that CPU, were nothing else on it. */
  readonly issuedPerSecondByCpu: number;
  /** Of each cycle and its collection: what histories of runs of this very bench say. */
  readonly historyEach: HistoryCounts;
}

export interface CyclesOptions {
  readonly engineFolder: string | undefined;
  readonly cycles: number;
  readonly plan: "team" | "pro";
  readonly cores: number;
  readonly collects: boolean;
}

/** Periods that are due at one instant, with usage, credit and a card each, closed by a workflow each or in pages. */
export async function measureCycles(
  mode: "workflow" | "paged",
  options: CyclesOptions,
  note: Note,
): Promise<CyclesFigures> {
  const { cycles, engineFolder } = options;
  const system = await startSystemUnderTest({ engineFolder, cycleClose: mode, note });
  try {
    // Pages close what is due when they are told to; runs of their own wake by the clock, when all are ready.
    const readyMs = mode === "paged" ? 0 : 60_000 + cycles * 150;
    if (mode === "paged") await scheduleOf(system).pause();
    await addPayingCustomers(system, cycles, note);
    const end = instantOfEpochMs(Date.now() + readyMs - graceMs);
    const month = { start: addDuration(end, { months: -1 }, "UTC"), end };
    await takeInMonth(system, cycles, month, note);
    await subscribe(system, mode, month.start, options, note);
    await system.owner.sql`vacuum (analyze)`;
    await system.server.checkpoint();
    return await closeAll(system, mode, end, options, note);
  } finally {
    await system.stop();
  }
}

const scheduleOf = ({ temporal }: SystemUnderTest) => temporal.schedule.getHandle(workflowIds.cycleClose);

/** In paged mode no run has anything to do with a close, so the rows are enough. */
async function subscribe(
  system: SystemUnderTest,
  mode: "workflow" | "paged",
  start: Instant,
  { cycles, plan }: CyclesOptions,
  note: Note,
): Promise<void> {
  if (mode === "workflow") {
    await activate(system, cycles, { plan, at: start, note });
    return;
  }
  await forEach(cycles, 4, "subscriptions", note, (number) =>
    openSubscription(system.db, {
      subscriptionId: subscriptionOf(number),
      customerId: customerId(number),
      requestId: "open",
      at: isoOf(start),
      items: [{ planKey: plan, seats: 3 }],
    }),
  );
  // What the activations came to has nothing to do with it.
  await system.db.sql`update billing.invoice set collected_by = 'bench' where kind = 'activation'`;
}

async function closeAll(
  system: SystemUnderTest,
  mode: "workflow" | "paged",
  end: Instant,
  { cycles, cores, collects }: CyclesOptions,
  note: Note,
): Promise<CyclesFigures> {
  const dueAt = mode === "paged" ? Date.now() : end + graceMs;
  if (Date.now() > dueAt) throw new Error("the periods were due before all was ready");
  note(`waiting until ${cycles} periods are due`);
  await delay(dueAt - Date.now());
  const load = loadNow();
  const cpu = system.cpu();
  if (mode === "paged") await scheduleOf(system).trigger();
  await untilCount(system, cycles, note, "issued");
  const issuedSeconds = (Date.now() - dueAt) / 1_000;
  const issued = cpu();
  if (collects) await untilCount(system, cycles, note, "paid");
  const paidSeconds = (Date.now() - dueAt) / 1_000;
  const all = cpu();
  await requireBilled(system, cycles);
  const perCycle = (seconds: CpuByPart, less: CpuByPart = {}): CpuByPart =>
    Object.fromEntries(
      Object.entries(seconds).map(([part, spent]) => [
        part,
        rounded(((spent - (less[part as keyof CpuByPart] ?? 0)) * 1_000) / cycles),
      ]),
    );
  const issuedCpuMs = perCycle(issued);
  const total = Object.entries(issuedCpuMs).reduce((sum, [part, ms]) => sum + (part === "bench" ? 0 : ms), 0);
  return {
    mode,
    engine: system.engine,
    load,
    cycles,
    linesEach: await linesEach(system),
    issuedSeconds: rounded(issuedSeconds),
    paidSeconds: collects ? rounded(paidSeconds) : undefined,
    issuedPerSecond: rounded(cycles / issuedSeconds),
    paidPerSecond: collects ? rounded(cycles / paidSeconds) : undefined,
    issuedCpuMs,
    collectedCpuMs: perCycle(all, issued),
    issuedPerSecondByCpu: rounded((cores * 1_000) / total),
    historyEach: await historyEach(system, mode, end, cycles),
  };
}

/** With a workflow each: one subscription's, from its timer to the next, and its cycle; in pages: a share of the run of all. */
async function historyEach(
  { temporal }: SystemUnderTest,
  mode: CyclesFigures["mode"],
  end: Instant,
  cycles: number,
): Promise<HistoryCounts> {
  const eventsOf = async (workflowId: string, runId?: string) =>
    (await temporal.workflow.getHandle(workflowId, runId).fetchHistory()).events ?? [];
  if (mode === "paged") {
    const runs = temporal.workflow.list({ query: "WorkflowType = 'cycleClose'" });
    const counts: HistoryCounts[] = [];
    for await (const { workflowId, runId } of runs) counts.push(countsOf(await eventsOf(workflowId, runId)));
    const shared = Object.entries(sumOf(counts)).map(([name, count]) => [name, rounded(count / cycles)]);
    return Object.fromEntries(shared) as unknown as HistoryCounts;
  }
  const subscription = workflowIds.subscription(subscriptionOf(0));
  const since = await eventsOf(subscription);
  const before = since[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? undefined;
  const first = await eventsOf(subscription, before);
  const woken = first.findIndex(({ timerFiredEventAttributes: fired }) => fired != null);
  const start = addDuration(end, { months: -1 }, "UTC");
  const cycle = await eventsOf(workflowIds.billingCycle(subscriptionOf(0), isoOf(start)));
  return sumOf([countsOf(since), countsOf(first.slice(woken)), countsOf(cycle)]);
}

const patienceMs = 30 * 60_000;

async function untilCount(
  { db }: SystemUnderTest,
  cycles: number,
  note: Note,
  what: "issued" | "paid",
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const [{ count }] = await db.sql<[{ count: number }]>`
      select count(*)::int as count from billing.invoice
      where kind = 'cycle' and (${what === "issued"} or status = 'paid')`;
    note(`${count} of ${cycles} ${what}`);
    if (count >= cycles) return;
    if (Date.now() > deadline) throw new Error(`only ${count} of ${cycles} were ${what}`);
    await delay(250);
  }
}

/** Each has its usage, its credit and its entries, and nothing that must be true of them is not. */
async function requireBilled({ db, owner }: SystemUnderTest, cycles: number): Promise<void> {
  // A minute later the server would have done so by itself; the proofs read everything that is new.
  await owner.sql`analyze`;
  const [{ count }] = await db.sql<[{ count: number }]>`
    select count(*)::int as count from billing.invoice where kind = 'cycle' and credits_applied_minor > 0`;
  if (count !== cycles) throw new Error(`credit paid a part of ${count} of ${cycles} invoices`);
  const broken = (await checkInvariants(db)).filter(({ number, holds }) => proved.includes(number) && !holds);
  if (broken.length > 0) throw new Error(`does not hold: ${JSON.stringify(broken)}`);
}

const proved: readonly InvariantNumber[] = ["V1", "V2", "V3", "V4", "V8", "V9"];

async function linesEach({ db }: SystemUnderTest): Promise<number> {
  const [{ lines }] = await db.sql<[{ lines: number }]>`
    select (count(*)::float8 / count(distinct invoice_id)) as lines from billing.invoice_line
    join billing.invoice on invoice_id = id where invoice.kind = 'cycle'`;
  return rounded(lines);
}

const rounded = (figure: number) => Math.round(figure * 100) / 100;
