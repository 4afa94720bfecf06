import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { reserve } from "../../src/api/reservations/reserve.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { type Database, inTransaction, openDatabase } from "../../src/db/database.ts";
import { KnownPaths } from "../../src/db/entitlements/known-paths.ts";
import {
  openReservationWriter,
  type ReservationWriter,
} from "../../src/db/entitlements/reservation-writer.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import { wallClock } from "../api/support/running-api.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";
import { addCustomer } from "./usage-fixture.ts";

let clone: TestDatabase;
let db: Database;
let owner: Database;
let writer: ReservationWriter;
beforeAll(async () => {
  clone = await cloneDatabase();
  db = openDatabase({ url: clone.appUrl, poolSize: 4 });
  owner = openDatabase({ url: clone.ownerUrl, poolSize: 1 });
  writer = openReservationWriter({ url: clone.ownerUrl, applicationName: "cut", batchMax: 7 });
  const price = { key: "calls", type: "usage", name: "Calls", product: "calls", meter: "calls" };
  const prices = [{ ...price, model: { type: "per_unit", unitPriceMinor: "1" } }];
  const interval = { unit: "month", count: 1 };
  const catalog = {
    meters: [{ key: "calls", eventType: "call", aggregation: "count", dimensions: [] }],
    plans: [{ key: "plan", name: "Plan", currency: "usd", interval, prices }],
  };
  await inTransaction(db, (tx) => publishCatalog(tx, parseCatalog(catalog)));
  await addCustomer(db, "acme");
  const items = [{ planKey: "plan", seats: 1 }];
  const opening = {
    subscriptionId: "sub",
    customerId: "acme",
    requestId: "open",
    at: "2026-02-10T00:00:00Z",
    items,
  };
  await openSubscription(db, opening);
  await db.sql`insert into billing.spender (customer_id, kind, key) values ('acme', 'organisation', 'acme')`;
  await db.sql`
    insert into billing.spending_cap (id, spender, kind, each_user, amount_minor, limit_window, effective_at, set_by, set_at)
    select 'cap', number, 'cap', false, 100, '{"type": "never"}', '2026-02-10Z', 'alice', '2026-02-10Z' from billing.spender`;
});
afterAll(async () => {
  await writer.close();
  await Promise.all([db.close(), owner.close()]);
  await clone.drop();
});

const asked = (id: string) => ({
  ...{ id, customerId: "acme", user: null, purpose: null, eventType: "call", worstCase: {}, ttlSeconds: 60 },
});

test("with its connections cut again and again, every request is placed once, and the cap holds", async () => {
  const parts = { writer, paths: new KnownPaths(db) };
  const cut = (async () => {
    for (let cuts = 0; cuts < 8; cuts++) {
      await delay(100);
      await owner.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cut' and datname = current_database()`;
    }
  })();
  const outcomes = await Promise.all(
    Array.from({ length: 150 }, async (_, index) => {
      await delay(index * 5);
      // Two who ask the same: of another process, say.
      const [one, other] = await Promise.all([1, 2].map(() => reserve(parts, asked(`r${index}`), wallClock)));
      return [one?.status, other?.status];
    }),
  );
  await cut;
  const isGranted = (status: string | undefined) => status === "placed" || status === "known";
  const granted = outcomes.filter(([one, other]) => isGranted(one) || isGranted(other));
  expect(granted).toHaveLength(100); // of a cap of 100 at 1 each
  const [counted] = await db.sql`
    select held_minor::text as held, (select count(*)::int from billing.reservation) as placed from billing.spending_counter`;
  expect(counted).toEqual({ held: "100", placed: 100 });
});
