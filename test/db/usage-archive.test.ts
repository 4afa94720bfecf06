import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { archiveInvariants } from "../../src/db/invariants/archive-invariants.ts";
import { eventPages } from "../../src/db/usage/archive-events.ts";
import { type ArchivedEvent, readEventFile } from "../../src/db/usage/archive-format.ts";
import {
  type ArchiveOptions,
  type ArchiveStep,
  archiveMonths,
  dropArchived,
} from "../../src/db/usage/archive-months.ts";
import { type ArchiveStore, openArchiveStore } from "../../src/db/usage/archive-store.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { usageByWindow, usageQuantities } from "../../src/db/usage/usage-quantities.ts";
import { instant, period } from "../../src/domain/calendar/index.ts";
import { accountingMonth } from "../../src/domain/ledger/accounting-month.ts";
import type { UsageEvent } from "../../src/domain/metering/index.ts";
import {
  expectInvariants,
  foldAll,
  meterOf,
  meters,
  openUsage,
  type UsageFixture,
  usageEvent,
} from "./usage-fixture.ts";

let fixture: UsageFixture;
let folder: string;
let store: ArchiveStore;

beforeEach(async () => {
  fixture = await openUsage();
  known = [...meters];
  folder = mkdtempSync(join(tmpdir(), "reckoner-archived-"));
  store = await openArchiveStore({ kind: "file", path: folder });
});
afterEach(async () => {
  await fixture.close();
  rmSync(folder, { recursive: true, force: true });
});

const april = accountingMonth("2024-04");
const may = accountingMonth("2024-05");
const before = accountingMonth("2024-06");

/** Some in each of three months, of which the first two are archived. */
const events: readonly UsageEvent[] = Array.from({ length: 90 }, (_, index) =>
  usageEvent({
    id: `e-${index}`,
    time: instant(
      `2024-0${4 + (index % 3)}-${String(1 + (index % 28)).padStart(2, "0")}T10:30:00.00${index % 10}Z`,
    ),
    data: {
      model: index % 2 ? "large" : "small",
      class: "input",
      tokens: 10 + index,
      exact: 1.5,
      text: 'ü\u2028"',
    },
  }),
);

/** What a process knows of a database, it knows beside its list of meters: each test has one of its own. */
let known = meters;

async function take(sent: readonly UsageEvent[]): Promise<string[]> {
  const outcomes = await ingestEvents(fixture.db, sent, known);
  return outcomes.map((outcome) => (outcome.status === "invalid" ? outcome.refusal.code : outcome.status));
}

const archive = (over: Partial<ArchiveOptions> = {}) =>
  archiveMonths(fixture.owner, store, {
    before,
    by: "tester",
    eventsPerFile: 20,
    eventsPerGroup: 7,
    ...over,
  });

const quantitiesNow = () =>
  fixture.db.orm.transaction(async (tx) => {
    const asked = {
      customerId: "acme",
      period: period(instant("2024-04-01T00:00:00Z"), instant("2024-07-01T00:00:00Z")),
    };
    const [tokens, longest] = [meterOf("tokens"), meterOf("longest")];
    return [
      await usageQuantities(tx, { ...asked, meter: tokens }),
      await usageQuantities(tx, { ...asked, meter: longest }),
      await usageByWindow(tx, { ...asked, meter: tokens, size: "day" }),
    ];
  });

async function expectAllHolds(): Promise<void> {
  await expectInvariants(fixture.db);
  for (const { name, sql } of archiveInvariants) expect(await fixture.db.sql.unsafe(sql), name).toEqual([]);
}

const tables = async () =>
  (
    await fixture.owner.sql<{ name: string }[]>`
      select relname || case when relispartition then '' else ' detached' end as name from pg_class
      where relname ~ '^event_20' and relkind = 'r' order by 1`
  ).map(({ name }) => name);

test("every event is in the files as it is in the database, and what was counted stays", async () => {
  await take(events);
  await foldAll(fixture.db);
  const [stored, counted] = [await eventsOf(april), await quantitiesNow()];
  const months = await archive();
  expect(months.map(({ month, manifest }) => [month, manifest.events, manifest.files.length])).toEqual([
    [april, 30, 2],
    [may, 30, 2],
  ]);
  expect(await filedEvents(months[0]?.manifest.files ?? [])).toEqual(stored);
  expect(stored[0]).toMatchObject({
    customer: "acme",
    data: JSON.stringify(events[0]?.data),
    meters: ["requests@1", "tokens@1", "longest@1"],
    quantities: ["1", "10", "10"],
  });
  expect(await tables()).toEqual(["event_2024_04 detached", "event_2024_05 detached", "event_2024_06"]);
  expect(await quantitiesNow()).toEqual(counted);
  await expectAllHolds();
  expect(await dropArchived(fixture.owner, store)).toEqual([april, may]);
  expect(await tables()).toEqual(["event_2024_06"]);
  expect(await quantitiesNow()).toEqual(counted);
  await expectAllHolds();
});

async function eventsOf(month: typeof april): Promise<ArchivedEvent[]> {
  const found: ArchivedEvent[] = [];
  for await (const page of eventPages(fixture.owner, month, 11))
    found.push(...page.map((event) => ({ ...event })));
  return found;
}

async function filedEvents(files: readonly { readonly name: string }[]): Promise<ArchivedEvent[]> {
  const found: ArchivedEvent[] = [];
  for (const { name } of files)
    for await (const page of readEventFile(await store.read(name))) found.push(...page);
  return found;
}

test.each<ArchiveStep>(["exported", "kept", "read back", "detached"])(
  "when it ends after a month is %s, the next run goes on",
  async (last) => {
    await take(events);
    await foldAll(fixture.db);
    const counted = await quantitiesNow();
    const crash = (step: ArchiveStep, month: string) => {
      if (step === last && month === may) throw new Error("crashed");
    };
    await expect(archive({ onStep: crash })).rejects.toThrow("crashed");
    await expectAllHolds();
    expect(await quantitiesNow()).toEqual(counted);
    expect((await archive()).map(({ month }) => month)).toEqual(last === "detached" ? [] : [may]);
    expect(readdirSync(join(folder, may)), "the same files again").toHaveLength(3);
    expect(await dropArchived(fixture.owner, store)).toEqual([april, may]);
    expect(await dropArchived(fixture.owner, store)).toEqual([]);
    await expectAllHolds();
  },
);

test("a key of an archived month is known for ever, and nothing new is taken in for it", async () => {
  await take(events);
  await foldAll(fixture.db);
  await archive();
  const [first, , here] = events;
  if (first === undefined || here === undefined) throw new Error("there are events");
  const sent = [
    { ...first, data: { ...first.data, tokens: 1 } },
    usageEvent({ id: "new", time: first.time }),
    usageEvent({ id: "new here", time: here.time }),
    first,
    here,
  ];
  const outcomes = ["conflict", "usage_month_archived", "accepted", "duplicate", "duplicate"];
  expect(await take(sent)).toEqual(outcomes);
  outcomes[2] = "duplicate";
  expect(await take(sent)).toEqual(outcomes);
  await foldAll(fixture.db);
  await expectAllHolds();
});

test("single events of an archived month are refused, not left out", async () => {
  await take(events);
  await foldAll(fixture.db);
  await archive();
  const within = (start: string, end: string) =>
    usageQuantities(fixture.db.orm, {
      customerId: "acme",
      meter: meterOf("tokens"),
      period: period(instant(start), instant(end)),
    });
  await expect(within("2024-04-01T00:00:00Z", "2024-04-01T10:30:00.001Z")).rejects.toMatchObject({
    code: "usage_month_archived",
  });
  expect(await within("2024-04-01T00:00:00Z", "2024-04-01T10:31:00Z")).toHaveLength(1);
  expect(await within("2024-05-31T00:00:00Z", "2024-06-28T10:30:00.005Z")).not.toEqual([]);
  const correction = fixture.owner.sql`
    insert into usage.later_contribution (fact_seq, event_seq, time, customer_number, meter, dimensions, quantity, weight)
    values (1000, 1, '2024-04-01T10:30Z', 1, 1, 1, 1, -1)`;
  await expect(correction).rejects.toMatchObject({ code: "RK014" });
});

test("a month is kept while it may be needed", async () => {
  const now = new Date();
  const last = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 15));
  await take([usageEvent({ id: "recent", time: instant(last.toISOString()) })]);
  const next = accountingMonth(now.toISOString().slice(0, 7));
  await foldAll(fixture.db);
  await expect(archive({ before: next })).rejects.toThrow(/its events are still accepted, for 400 days/);
  await take(events);
  await expect(archive()).rejects.toThrow(/30 facts are not in the windows yet/);
});

test("files that were changed are noticed before anything is dropped", async () => {
  await take(events);
  await foldAll(fixture.db);
  const [month] = await archive();
  const path = join(folder, month?.manifest.files[0]?.name ?? "");
  const bytes = readFileSync(path);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  await expect(dropArchived(fixture.owner, store)).rejects.toMatchObject({ code: "usage_archive_damaged" });
  expect(await tables()).toHaveLength(3);
});
