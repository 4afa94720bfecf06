import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { reckoner } from "../cli/reckoner-command.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

/** Stripe events that could not be applied, as an operator sees them and has them applied again. */
let api: RunningApi;
let owner: Database;
let key: string;
beforeAll(async () => {
  api = await startApi({});
  owner = openDatabase({ url: api.ownerUrl, poolSize: 1 });
  key = await api.newKey(["operate"]);
  await owner.sql`
    insert into stripe.webhook_inbox (event_id, type, body, received_at, state, attempts, last_error, finished_at)
    select 'evt_' || n, 'invoice.paid', '{}', '2026-02-01Z'::timestamptz + n * interval '1 minute',
      case when n <= 3 then 'parked' when n = 4 then 'waiting' else 'done' end, 10, 'it was poison',
      case when n <> 4 then now() end
    from generate_series(1, 5) as n`;
});
afterAll(async () => {
  await owner.close();
  await api.stop();
});

const call = (method: string, path: string) => api.call(method, path, undefined, { key });
const command = (...given: string[]) =>
  reckoner({ url: api.url, adminKey: key }, ["stripe-events", ...given]);

test("those that are set aside are listed, the newest first, and those that wait by themselves", async () => {
  const parked = await call("GET", "/v1/stripe-events?limit=2");
  expect(parked.body).toMatchObject({
    data: [
      { id: "evt_3", state: "parked", attempts: 10, last_error: "it was poison", next_attempt_at: null },
      { id: "evt_2" },
    ],
    next_cursor: expect.any(String),
  });
  const waiting = await call("GET", "/v1/stripe-events?state=waiting");
  expect(waiting.body).toMatchObject({ data: [{ id: "evt_4", next_attempt_at: expect.any(String) }] });
});

test("one is applied again, from its first attempt on; one that is not set aside, or not known, is refused", async () => {
  const replayed = await call("POST", "/v1/stripe-events/evt_1/replay");
  expect([replayed.status, replayed.body]).toEqual([
    200,
    expect.objectContaining({ id: "evt_1", state: "waiting", attempts: 0 }),
  ]);
  expect((await call("POST", "/v1/stripe-events/evt_5/replay")).status).toBe(409);
  expect((await call("POST", "/v1/stripe-events/evt_9/replay")).status).toBe(404);
});

test("by the command line: listed, and all of them applied again", async () => {
  const listed = await command("list");
  expect(listed).toMatchObject({ code: 0, err: "" });
  expect(listed.out).toContain("evt_2  invoice.paid  parked after 10 attempts: it was poison");
  expect((await command("replay")).code).toBe(2);
  const replayed = JSON.parse((await command("replay", "--all", "--json")).out);
  expect(replayed.data.map(({ id, state }: { id: string; state: string }) => `${id} ${state}`)).toEqual([
    "evt_3 waiting",
    "evt_2 waiting",
  ]);
  expect((await command("list")).out).toBe("Nothing is set aside.\n");
});
