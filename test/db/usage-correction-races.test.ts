import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  correctEvents,
  decideUsageCorrection,
  revertBackfill,
} from "../../src/api/commands/usage-correction-commands.ts";
import { inTransaction, sqlState } from "../../src/db/database.ts";
import { correctionInvariants } from "../../src/db/invariants/correction-invariants.ts";
import { openBackfillWriter } from "../../src/db/usage/backfill-writer.ts";
import { closeBackfill, findBackfill, openBackfill } from "../../src/db/usage/backfills.ts";
import { findCorrection } from "../../src/db/usage/correction-reads.ts";
import { usageQuantities } from "../../src/db/usage/usage-quantities.ts";
import { instant, period } from "../../src/domain/calendar/index.ts";
import {
  expectInvariants,
  foldAll,
  ingest,
  meterOf,
  openUsage,
  type UsageFixture,
  usageEvent,
} from "./usage-fixture.ts";

let fixture: UsageFixture;
beforeEach(async () => {
  fixture = await openUsage({ poolSize: 8 });
});
afterEach(() => fixture.close());

const now = () => instant("2026-02-01T00:00:00Z");
const deps = () => ({ db: fixture.db, now, unapprovedCorrectionsMax: 2 });
const by = (key: string) => ({ actor: `api-key/${key}`, correlationId: "test" });
const reason = { reasonCode: "duplicate", note: null } as const;
const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: { code?: string }) => error.code ?? String(error),
  );

const voided = (id: string, events: readonly string[], key = "ann") =>
  outcomeOf(
    correctEvents(
      deps(),
      {
        id,
        kind: "void",
        ...reason,
        events: events.map((event) => ({ source: "gateway", id: event, data: null })),
      },
      by(key),
    ),
  );
const amended = (id: string, event: string, tokens: number, key = "ann") => {
  const data = { model: "large", class: "input", tokens };
  return outcomeOf(
    correctEvents(
      deps(),
      { id, kind: "amend", ...reason, events: [{ source: "gateway", id: event, data }] },
      by(key),
    ),
  );
};
const decided = (correctionId: string, outcome: "approved" | "rejected", key: string) =>
  outcomeOf(decideUsageCorrection(deps(), { correctionId, outcome, note: "seen" }, by(key)));

async function tokens(): Promise<string> {
  const january = period(instant("2026-01-01T00:00:00Z"), instant("2026-02-01T00:00:00Z"));
  const request = { customerId: "acme", meter: meterOf("tokens"), period: january, groupBy: [] };
  return (await usageQuantities(fixture.db.orm, request))[0]?.quantity.text ?? "0";
}

describe("at the same time", () => {
  test("of voids of one event one counts, and the others are told", async () => {
    await ingest(fixture.db, [usageEvent({ id: "a" }), usageEvent({ id: "b" })]);
    const outcomes = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => voided(`v${n}`, ["a"], `key-${n}`)));
    expect(outcomes.toSorted()).toEqual(["done", ...Array(5).fill("usage_correction_refused")]);
    expect(await tokens()).toBe("10");
    await foldAll(fixture.db);
    await expectInvariants(fixture.db);
  });

  test("amendments of one event follow each other, each takes back the one before it", async () => {
    await ingest(fixture.db, [usageEvent({ id: "a" })]);
    const outcomes = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => amended(`m${n}`, "a", 100 + n, `key-${n}`)),
    );
    expect(outcomes).toEqual(Array(5).fill("done"));
    const [newest] = await fixture.db.sql<[{ tokens: string }]>`
      select data ->> 'tokens' as tokens from usage.corrected_event`;
    expect(await tokens()).toBe(newest.tokens);
    await foldAll(fixture.db);
    expect(await tokens()).toBe(newest.tokens);
    await expectInvariants(fixture.db);
  });

  test("one key does not get above the limit in parts", async () => {
    const events = ["a", "b", "c", "d"];
    await ingest(
      fixture.db,
      events.map((id) => usageEvent({ id })),
    );
    expect(await Promise.all(events.map((id) => voided(`v/${id}`, [id])))).toEqual(Array(4).fill("done"));
    const [row] = await fixture.db.sql<[{ waiting: bigint }]>`
      select count(*) as waiting from usage.correction_standing where status = 'pending_approval'`;
    expect([row.waiting, await tokens()]).toEqual([2n, "20"]);
    await expectInvariants(fixture.db);
  });

  test("of a correction that waits one decision counts", async () => {
    const events = ["a", "b", "c"];
    await ingest(
      fixture.db,
      events.map((id) => usageEvent({ id })),
    );
    expect(await voided("v", events)).toBe("done");
    const outcomes = await Promise.all([
      decided("v", "approved", "bob"),
      decided("v", "rejected", "cem"),
      decided("v", "approved", "dan"),
    ]);
    expect(outcomes.toSorted()).toEqual([
      "done",
      "usage_correction_not_pending",
      "usage_correction_not_pending",
    ]);
    const executed = (await findCorrection(fixture.db.orm, "v"))?.status === "executed";
    expect(await tokens()).toBe(executed ? "0" : "30");
    await expectInvariants(fixture.db);
  });

  test("an event belongs to its backfill before it is closed, or is not accepted", async () => {
    const writer = openBackfillWriter({ url: fixture.appUrl });
    try {
      await openBackfill(fixture.db.orm, {
        id: "b",
        name: "b",
        reason: "b",
        openedBy: "ann",
        openedAt: now(),
      });
      const taking = Promise.all(
        Array.from({ length: 20 }, (_, n) => outcomeOf(writer.take("b", [usageEvent({ id: `b/${n}` })]))),
      );
      await outcomeOf(writer.take("b", [usageEvent({ id: "first" })]));
      await closeBackfill(fixture.db.orm, "b", { closedBy: "ann", closedAt: now() });
      const outcomes = await taking;
      const done = outcomes.filter((outcome) => outcome === "done").length + 1;
      expect(outcomes.filter((outcome) => outcome !== "done" && outcome !== "usage_backfill_closed")).toEqual(
        [],
      );
      expect(await tokens()).toBe(`${10 * done}`);
      await revertBackfill(
        { ...deps(), unapprovedCorrectionsMax: 100 },
        { id: "r", backfillId: "b", ...reason },
        by("ann"),
      );
      expect(await tokens()).toBe("0");
      expect((await findBackfill(fixture.db.orm, "b"))?.state).toBe("reverted");
      await expectInvariants(fixture.db);
    } finally {
      await writer.close();
    }
  });
});

test("the same request again, after a crash before its answer, is done once", async () => {
  await ingest(fixture.db, [usageEvent({ id: "a" })]);
  expect([await amended("m", "a", 7), await amended("m", "a", 7)]).toEqual(["done", "done"]);
  const [row] = await fixture.db.sql<[{ facts: bigint }]>`
    select count(distinct fact_seq) as facts from usage.later_contribution`;
  expect([row.facts, await tokens()]).toEqual([1n, "7"]);
});

describe("the functions refuse, whatever the application asks", () => {
  const refusal = async (statement: string) => {
    try {
      await fixture.db.sql.unsafe(statement);
      return "done";
    } catch (error) {
      return sqlState(error);
    }
  };
  const ask = (id: string, over: { kind?: string; seqs?: string; said?: string; max?: number } = {}) => {
    const { kind = "void", seqs = "{1}", said = "{NULL}", max = 0 } = over;
    return `select usage.request_correction('${id}', '${kind}', null, 'duplicate', null, 'ann', now(), ${max}, '${seqs}',
      array(select time from usage.event where seq = any ('${seqs}')), '${said}')`;
  };
  const book = (id: string, seqs = "{}", lists = "'{}', '{}', '{}', '{}'") =>
    `select usage.book_correction('${id}', now(), '${seqs}', ${lists})`;
  const decide = (id: string, outcome: string, actor: string) =>
    `select usage.decide_correction('${id}', '${outcome}', '${actor}', 'note', now())`;

  beforeEach(async () => {
    await ingest(fixture.db, [usageEvent({ id: "a" }), usageEvent({ id: "b" })]);
  });

  test.each([
    { why: "an event that is not there", steps: [ask("c", { seqs: "{77}" })], state: "RK021" },
    { why: "an amendment that says nothing", steps: [ask("c", { kind: "amend" })], state: "RK021" },
    { why: "a void that says something", steps: [ask("c", { said: '{"\\{\\}"}' })], state: "RK021" },
    { why: "booking what nobody asked for", steps: [book("none")], state: "RK021" },
    { why: "booking what waits", steps: [ask("c"), book("c")], state: "RK021" },
    { why: "agreeing to one's own", steps: [ask("c"), decide("c", "approved", "ann")], state: "RK021" },
    { why: "withdrawing another's", steps: [ask("c"), decide("c", "withdrawn", "bob")], state: "RK021" },
    {
      why: "deciding what needs nobody",
      steps: [ask("c", { max: 9 }), decide("c", "approved", "bob")],
      state: "RK021",
    },
    {
      why: "deciding twice",
      steps: [ask("c"), decide("c", "rejected", "bob"), decide("c", "approved", "bob")],
      state: "23505",
    },
    {
      why: "a void that gives something",
      steps: [ask("c", { max: 9 }), book("c", "{1}", "'{\"{1}\"}', '{\"{1}\"}', '{\"{1}\"}', '{NULL}'")],
      state: "RK021",
    },
    {
      why: "an amendment of another event",
      steps: [
        ask("c", { kind: "amend", said: '{"\\{\\}"}', max: 9 }),
        book("c", "{2}", "'{\"{1}\"}', '{\"{1}\"}', '{\"{1}\"}', '{NULL}'"),
      ],
      state: "RK021",
    },
    {
      why: "a second void of one event",
      steps: [ask("c", { max: 9 }), book("c"), ask("d", { max: 9 })],
      state: "RK021",
    },
    {
      why: "what was corrected meanwhile",
      steps: [ask("c", { max: 9 }), ask("d", { max: 9 }), book("c"), book("d")],
      state: "RK022",
    },
    {
      why: "contributions past the functions",
      steps: ["insert into usage.later_contribution default values"],
      state: "42501",
    },
    {
      why: "a decision past the functions",
      steps: ["insert into usage.correction_decision default values"],
      state: "42501",
    },
    {
      why: "events of a closed backfill",
      steps: [
        "select usage.open_backfill('b', 'b', 'b', 'ann', now()), usage.close_backfill('b', 'ann', now())",
        "select usage.add_to_backfill('b', '{}')",
      ],
      state: "RK020",
    },
  ])("$why", async ({ steps, state }) => {
    for (const step of steps.slice(0, -1)) expect([step, await refusal(step)]).toEqual([step, "done"]);
    expect(await refusal(steps.at(-1) ?? "")).toBe(state);
  });

  test("an event that came before is not added to a backfill", async () => {
    await fixture.db.sql`select usage.open_backfill('b', 'b', 'b', 'ann', now())`;
    const [row] = await fixture.db.sql<[{ added: bigint }]>`
      select usage.add_to_backfill('b', array(select key from usage.event_key)) as added`;
    expect(row.added).toBe(0n);
  });
});

describe("damage is found", () => {
  const brokenRules = async () => {
    const broken: string[] = [];
    for (const { name, sql } of correctionInvariants) {
      if ((await fixture.db.sql.unsafe(sql)).length > 0) broken.push(name);
    }
    return broken;
  };
  const [once, ofBooking, ofVoided, booked, counted, own, parts] = correctionInvariants.map(
    ({ name }) => name,
  );

  test.each([
    { damage: "insert into usage.later_contribution select * from made(1, 1)", found: [once] },
    { damage: "insert into usage.later_contribution select * from made(2, -1)", found: [ofBooking] },
    { damage: "insert into usage.later_contribution select * from made(3, 1)", found: [ofVoided] },
    { damage: "delete from usage.later_contribution", found: [ofVoided] },
    { damage: "delete from usage.correction_booking", found: [ofBooking, booked] },
    { damage: "update usage.correction set event_count = 2 where id = 'v'", found: [counted] },
    { damage: "update usage.correction_event set after_seq = 1", found: [counted] },
    { damage: "update usage.correction_decision set decided_by = 'api-key/ann'", found: [own] },
    {
      damage: "update usage.correction set unapproved_max = 0, unapproved_before = -1 where id = 'v'",
      found: [parts],
    },
  ])("$damage", async ({ damage, found }) => {
    await ingest(
      fixture.db,
      ["a", "b", "c", "d", "e", "f"].map((id) => usageEvent({ id })),
    );
    expect(await voided("v", ["c"])).toBe("done");
    expect(await voided("w", ["d", "e", "f"])).toBe("done");
    expect(await decided("w", "rejected", "bob")).toBe("done");
    expect(await brokenRules()).toEqual([]);
    await unguarded(damage);
    expect(await brokenRules()).toEqual(found);
  });

  /** As the schema's owner, with the guards switched off. */
  async function unguarded(damage: string): Promise<void> {
    const tables = [
      "later_contribution",
      "correction",
      "correction_event",
      "correction_decision",
      "correction_booking",
    ];
    const statement = damage.replace(
      /made\((\d), (-?1)\)/,
      (_, seq: string, weight: string) => `(
        select 999::int8, seq, time, pg_current_xact_id(), now(), customer_number, meters[1], dimensions[1], quantities[1],
          null::text, ${weight}::smallint from usage.event where seq = ${seq}) as made`,
    );
    await inTransaction(fixture.owner, async (tx) => {
      for (const table of tables) await tx.execute(`alter table usage.${table} disable trigger user`);
      await tx.execute(statement);
      for (const table of tables) await tx.execute(`alter table usage.${table} enable trigger user`);
    });
  }
});
