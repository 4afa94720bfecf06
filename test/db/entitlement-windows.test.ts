import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instant, instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import { addCustomer, ingest, openUsage, type UsageFixture, usageEvent } from "./usage-fixture.ts";

/** Windows that first use opens, against all uses looked at one after the other. */
let usage: UsageFixture;
beforeAll(async () => {
  usage = await openUsage();
});
afterAll(() => usage.close());

const begin = instant("2026-01-15T00:00:00Z");
const minuteMs = 60_000;
const lengthMs = 10 * minuteMs;

/** Minute by minute: something is used, by one of two models, or somebody asks after the window of one of them. */
const anyStory = fc.array(
  fc.record({
    passes: fc.integer({ min: 0, max: 15 }),
    what: fc.constantFrom("use" as const, "use" as const, "late" as const, "ask" as const),
    model: fc.constantFrom("large", "small"),
  }),
  { minLength: 1, maxLength: 25 },
);

let stories = 0;

test("the window that is told is the one that the uses opened, and late use never moves it", async () => {
  await fc.assert(
    fc.asyncProperty(anyStory, async (story) => {
      const customerId = `customer-${++stories}`;
      await addCustomer(usage.db, customerId);
      const uses: Record<string, number[]> = { large: [], small: [] };
      const told: Record<string, number | null> = { large: null, small: null };
      let now = 0;
      for (const [index, { passes, what, model }] of story.entries()) {
        now += passes * minuteMs;
        if (what === "ask") {
          told[model] = openedBy(uses[model] ?? [], told[model] ?? null, now);
          const expected = isOpen(told[model] ?? null, now) ? told[model] : null;
          expect(await askedAt(customerId, model, now)).toBe(expected);
          continue;
        }
        const at = what === "late" ? Math.max(0, now - 7 * minuteMs) : now;
        const time = instantOfEpochMs(begin + at);
        const data = { model, class: "input", tokens: 1 };
        await ingest(usage.db, [usageEvent({ id: `${customerId}/${index}`, customerId, time, data })]);
        uses[model]?.push(at);
      }
    }),
    { numRuns: 15, seed: 20260115 },
  );
});

const isOpen = (opened: number | null, now: number): opened is number =>
  opened !== null && opened + lengthMs > now;

/** From the last that was told on, one after the other. */
function openedBy(uses: readonly number[], told: number | null, now: number): number | null {
  let opened = told;
  while (!isOpen(opened, now)) {
    const from = opened === null ? 0 : opened + lengthMs;
    const next = uses.filter((at) => at >= from).toSorted((one, other) => one - other)[0];
    if (next === undefined) return told;
    opened = next;
  }
  return opened;
}

async function askedAt(customerId: string, model: string, now: number): Promise<number | null> {
  const at = (ms: number) => isoOf(instantOfEpochMs(begin + ms));
  const [row] = await usage.db.sql<[{ opened: string | null }]>`
    select (extract(epoch from billing.open_window(${customerId}, 'requests', ${JSON.stringify({ model })}::text::jsonb,
      ${lengthMs}, ${at(0)}, ${at(now)}, ${at(now)})) * 1000)::int8::text as opened`;
  return row.opened === null ? null : Number(row.opened) - begin;
}

test("two who ask at once open one window", async () => {
  await addCustomer(usage.db, "race");
  const data = { model: "large", class: "input", tokens: 1 };
  await ingest(usage.db, [usageEvent({ id: "race/1", customerId: "race", time: begin, data })]);
  const answers = await Promise.all(
    [1, 2, 3, 4].map((minute) => askedAt("race", "large", minute * minuteMs)),
  );
  expect(answers).toEqual([0, 0, 0, 0]);
  const [row] = await usage.db.sql<[{ windows: bigint }]>`
    select count(*) as windows from billing.opened_window where customer_id = 'race'`;
  expect(row.windows).toBe(1n);
});
