import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import { draft, move, owed, revenue } from "../db/ledger-fixture.ts";
import { readCsvTable } from "../support/read-csv.ts";
import { insertAsOwner } from "./support/billing-rows.ts";
import { postOrFail } from "./support/ledger-story.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

// A month of some 40 MB, far more than sockets take in: each row repeats the long source key of its entry.
const entries = 40;
const postingsEach = 100;
const sourceKeyLength = 10_000;
const path = "/v1/ledger/journal?month=2026-01";

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
  const postings = Array.from({ length: postingsEach }, () => move(owed, revenue, 1n));
  for (let number = 0; number < entries; number++) {
    const sourceKey = String(number).padEnd(sourceKeyLength, "x");
    await postOrFail(api, [draft(sourceKey, postings, { cause: { type: "test", id: String(number) } })]);
  }
});
afterAll(() => api.stop());

/** Sessions of the API that stand still in a transaction: between two pages they do so only for a moment. */
const stalled = () => api.db.sql`
  select pid from pg_stat_activity
  where datname = current_database() and state = 'idle in transaction'
    and state_change < clock_timestamp() - interval '200 milliseconds'`;

const waiting = async () => (await stalled()).length;

/** The API's sessions that do anything, this question aside. */
const busy = async () =>
  (
    await api.db.sql`
    select pid from pg_stat_activity
    where datname = current_database() and application_name = 'reckoner' and state <> 'idle'
      and pid <> pg_backend_pid()`
  ).length;

const lockWaits = async () =>
  (
    await api.db.sql`
    select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  ).length;

const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 20 });

let readers: ClientRequest[] = [];
beforeEach(() => {
  readers = [];
});
afterEach(async () => {
  for (const reader of readers) reader.destroy();
  await until(async () => expect(await waiting()).toBe(0));
});

/** Asks for the journal and takes nothing of what comes. */
function stalledReader(): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${api.adminKey}` };
    const reader = request(api.url + path, { headers, agent: false }, (answer) => resolve(answer.pause()));
    reader.on("error", reject).end();
    readers.push(reader);
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe("an export that is read slowly", () => {
  test("waits for its reader and is whole in the end, all of one snapshot", async () => {
    const answer = await stalledReader();
    await until(async () => expect(await waiting()).toBe(1));
    await postOrFail(api, [draft("meanwhile", [move(owed, revenue, 1n)])]);
    // On a busy machine the first stand may have been a slow page; the next one is the reader's.
    await until(async () => expect(await waiting()).toBe(1));
    const rows = readCsvTable(await textOf(answer));
    expect(rows).toHaveLength(entries * postingsEach);
    expect(rows.map(({ line }) => Number(line)).slice(0, 3)).toEqual([1, 2, 3]);
    await until(async () => expect(await waiting()).toBe(0));
  });

  test("lets go of its connection when the reader goes away", async () => {
    await stalledReader();
    await until(async () => expect(await waiting()).toBe(1));
    readers[0]?.destroy();
    await until(async () => expect(await waiting()).toBe(0));
  });

  test("lets go of it also when the reader has gone before anything came", async () => {
    const owner = openDatabase({ url: api.ownerUrl, poolSize: 1 });
    try {
      await owner.sql.begin(async (sql) => {
        await sql`lock table ledger.posting in access exclusive mode`;
        const asked = stalledReader();
        await until(async () => expect(await lockWaits()).toBe(1));
        readers[0]?.destroy();
        await expect(asked).rejects.toThrow();
      });
    } finally {
      await owner.close();
    }
    await until(async () => expect(await busy()).toBe(0));
  });

  test("breaks off visibly when the database ends its session", async () => {
    const answer = await stalledReader();
    await until(async () => expect(await waiting()).toBe(1));
    for (const { pid } of await stalled()) await api.db.sql`select pg_terminate_backend(${pid})`;
    await expect(textOf(answer)).rejects.toMatchObject({ code: "ECONNRESET" });
    // And the next one works.
    expect((await api.call("GET", path)).status).toBe(200);
  });

  test("does not hold up more than a few at once: the others are asked to come again", async () => {
    for (let number = 0; number < 4; number++) await stalledReader();
    await until(async () => expect(await waiting()).toBe(4));
    const refused = await api.call("GET", path);
    expect([refused.status, refused.body.code, refused.headers.get("retry-after")]).toEqual([
      429,
      "too_many_requests",
      "5",
    ]);
    readers[0]?.destroy();
    await until(async () => expect(await waiting()).toBe(3));
    const totals = await api.call("GET", "/v1/ledger/journal/totals?month=2026-01");
    expect(totals.status).toBe(200);
    expect((await api.call("GET", path)).status).toBe(200);
  });
});

test.each([path, "/v1/customers/acme/statement?account=receivable&format=csv"])(
  "%s that cannot begin is a problem, not an empty file",
  async (broken) => {
    const customer = { id: "acme", name: "Acme", email: "a@test.test", currency: "usd" };
    await api.call("POST", "/v1/customers", customer);
    await insertAsOwner(api.ownerUrl, "revoke select on ledger.posting from reckoner_app");
    const answer = await api.call("GET", broken);
    await insertAsOwner(api.ownerUrl, "grant select on ledger.posting to reckoner_app");
    expect([answer.status, answer.body.code]).toEqual([500, "internal_error"]);
    expect(answer.headers.get("content-disposition")).toBeNull();
    expect((await api.call("GET", broken)).status).toBe(200);
  },
);
