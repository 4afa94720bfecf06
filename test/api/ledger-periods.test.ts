import { afterAll, beforeAll, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import { postEntries } from "../../src/db/ledger/ledger.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { draft, move, owed, revenue } from "../db/ledger-fixture.ts";
import { postOrFail } from "./support/ledger-story.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

// It is March 2026.
let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const periods = async (query = "") => (await api.call("GET", `/v1/ledger/periods${query}`)).body;
const months = async (query = "") =>
  (await periods(query)).data.map(
    ({ month, status }: { month: string; status: string }) => `${month} ${status}`,
  );
const close = (month: string, options = {}) =>
  api.call("POST", `/v1/ledger/periods/${month}/close`, undefined, options);
const effective = (key: string, on: string) =>
  draft(key, [move(owed, revenue, 1n)], { effectiveAt: instant(`${on}T00:00:00Z`) });

test("an empty ledger has the current month", async () => {
  expect(await months()).toEqual(["2026-03 open"]);
});

test("the list begins with the first entry's month", async () => {
  await postOrFail(api, [effective("first", "2025-11-30")]);
  expect(await months()).toEqual([
    "2026-03 open",
    "2026-02 open",
    "2026-01 open",
    "2025-12 open",
    "2025-11 open",
  ]);
  const first = await periods("?limit=2");
  expect(first.data.map(({ month }: { month: string }) => month)).toEqual(["2026-03", "2026-02"]);
  expect(await months(`?limit=3&cursor=${first.next_cursor}`)).toEqual([
    "2026-01 open",
    "2025-12 open",
    "2025-11 open",
  ]);
});

test.each([
  { month: "2026-03", status: 422, code: "accounting_period_not_ended", why: "it is March" },
  { month: "2030-01", status: 422, code: "accounting_period_not_ended", why: "it is to come" },
  { month: "2026-13", status: 400, code: "request_invalid", why: "there is none" },
  { month: "2026-01-01", status: 400, code: "request_invalid", why: "that is a day" },
])("$month cannot be closed: $why", async ({ month, status, code }) => {
  const answer = await close(month);
  expect([answer.status, answer.body.code, answer.body.field]).toEqual([status, code, "month"]);
  expect((await months())[0]).toBe("2026-03 open");
});

test.each(["read", "write"] as const)("a key that may only %s cannot close", async (scope) => {
  const answer = await close("2026-01", { key: await api.newKey([scope]) });
  expect([answer.status, answer.body.code]).toEqual([403, "scope_missing"]);
});

test("closing a month closes all before it, says when and by whom, and is done once", async () => {
  const closed = await close("2025-12");
  expect([closed.status, closed.body]).toEqual([
    200,
    {
      month: "2025-12",
      status: "closed",
      closed_at: expect.stringMatching(/Z$/),
      closed_by: expect.stringMatching(/^api-key\/key_bootstrap_/),
    },
  ]);
  const [, , , december, november] = (await periods()).data;
  expect(december).toEqual(closed.body);
  expect(november).toEqual({ ...closed.body, month: "2025-11" });
  expect(await months()).toEqual([
    "2026-03 open",
    "2026-02 open",
    "2026-01 open",
    "2025-12 closed",
    "2025-11 closed",
  ]);

  const again = await close("2025-12", { key: await api.newKey(["admin"]) });
  expect([again.status, again.body]).toEqual([200, closed.body]);
  expect((await close("2025-11")).body).toEqual({ ...closed.body, month: "2025-11" });
  expect((await close("2026-01")).body.closed_at > closed.body.closed_at).toBe(true);
  expect((await periods()).data[3]).toEqual(closed.body);
});

test("a late fact is booked at the beginning of the first open month, and refused where that is asked for", async () => {
  await postOrFail(api, [effective("late", "2025-11-15")]);
  const [late] = (await api.call("GET", "/v1/ledger/entries?limit=1")).body.data;
  expect([late.source_key, late.effective_at]).toEqual(["late", "2026-02-01T00:00:00.000Z"]);
  const strict = { ...effective("strict", "2025-11-15"), whenClosed: "refuse" as const };
  const [refused] = await inTransaction(api.db, (tx) => postEntries(tx, [strict]));
  expect(refused?.status).toBe("period_closed");
});

test("a cursor of another list is refused", async () => {
  const answer = await api.call(
    "GET",
    `/v1/ledger/periods?cursor=${Buffer.from('["7"]').toString("base64url")}`,
  );
  expect([answer.status, answer.body.code]).toEqual([400, "cursor_invalid"]);
});
