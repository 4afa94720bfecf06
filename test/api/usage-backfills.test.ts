import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectInvariants } from "../db/usage-fixture.ts";
import { refusal } from "./support/adjusting.ts";
import { answerOf, type IngestApi, outcomesOf, startIngestApi, wireEvent } from "./support/ingest-api.ts";
import type { Answer } from "./support/running-api.ts";

let api: IngestApi;
beforeAll(async () => {
  api = await startIngestApi({ unapprovedCorrectionsMax: 2 });
});
afterAll(async () => {
  await expectInvariants(api.db);
  await api.stop();
});

const call = (path: string, body?: object, key = api.adminKey): Promise<Answer> =>
  api.call(body === undefined ? "GET" : "POST", `/v1/usage/backfills${path}`, body, { key });
const opened = async () =>
  (await call("", { name: "outage of March", reason: "the gateway was down" })).body.id;
const send = (backfill: string, ...events: object[]) => api.post(events, {}, `?backfill=${backfill}`);
const revert = (id: string, key?: string) => call(`/${id}/revert`, { reason_code: "service_fault" }, key);
const tokens = async () => {
  const [row] = await api.db.sql<[{ tokens: string | null }]>`
    select sum(quantity * weight) as tokens from usage.contribution where meter = 2`;
  return row.tokens ?? "0";
};

describe("events", () => {
  test("may be older than usual, and belong to it in the commit that accepts them", async () => {
    const id = await opened();
    const old = wireEvent({ id: randomUUID(), time: "2022-05-01T00:00:00Z" });
    expect(await outcomesOf(await api.post(old))).toEqual(["usage_event_too_old"]);
    expect(await outcomesOf(await send(id, old))).toEqual(["accepted"]);
    expect(await outcomesOf(await send(id, old))).toEqual(["duplicate"]);
    const ancient = wireEvent({ id: randomUUID(), time: "2020-05-01T00:00:00Z" });
    expect(await outcomesOf(await send(id, ancient))).toEqual(["usage_event_too_old"]);
    expect((await call(`/${id}`)).body).toMatchObject({
      state: "open",
      name: "outage of March",
      events: { accepted: 1, voided: 0, customers: 1 },
    });
  });

  test("make it one of their customer's", async () => {
    const [mine, empty] = [await opened(), await opened()];
    await send(mine, wireEvent({ id: randomUUID() }));
    const idsOf = async (query: string) =>
      (await call(`?limit=100&${query}`)).body.data.map(({ id }: { id: string }) => id);
    const { customer } = wireEvent({});
    expect(await idsOf(`customer=${customer}`)).toContain(mine);
    expect(await idsOf(`customer=${customer}`)).not.toContain(empty);
    expect(await idsOf("customer=nobody")).toEqual([]);
  });

  test("that came without it before are duplicates, and are not its own", async () => {
    const id = await opened();
    const known = wireEvent({ id: randomUUID() });
    await api.post(known);
    expect(await outcomesOf(await send(id, known, wireEvent({ id: randomUUID() })))).toEqual([
      "duplicate",
      "accepted",
    ]);
    expect((await call(`/${id}`)).body.events.accepted).toBe(1);
  });

  test("that would wait in quarantine are invalid, their neighbours are not", async () => {
    const id = await opened();
    const answer = await send(
      id,
      wireEvent({ id: randomUUID(), customer: "nobody" }),
      wireEvent({ id: randomUUID() }),
      wireEvent({ id: randomUUID(), type: "unknown" }),
      wireEvent({ id: randomUUID(), data: { model: "large", class: "input", tokens: -1 } }),
      { id: "no event" },
    );
    const { accepted, invalid, results } = await answerOf(answer);
    expect({ accepted, invalid }).toEqual({ accepted: 1, invalid: 4 });
    expect(results.map(({ code, status }) => code ?? status)).toEqual([
      "usage_customer_unknown",
      "accepted",
      "usage_meter_missing",
      "usage_quantity_negative",
      "usage_event_invalid",
    ]);
  });
});

describe("states", () => {
  test("a closed one takes no more, and may be closed again", async () => {
    const id = await opened();
    expect((await call(`/${id}/close`, {})).body).toMatchObject({ state: "closed", revert: null });
    expect((await call(`/${id}/close`, {})).status).toBe(200);
    const late = await send(id, wireEvent({ id: randomUUID() }));
    expect([late.status, ((await late.json()) as { code: string }).code]).toEqual([
      409,
      "usage_backfill_closed",
    ]);
    expect((await send("none", wireEvent())).status).toBe(404);
  });

  test("reverting takes back its events and no others, once", async () => {
    const id = await opened();
    await api.post(wireEvent({ id: randomUUID() }));
    const before = await tokens();
    await send(id, wireEvent({ id: randomUUID() }), wireEvent({ id: randomUUID() }));
    expect(await tokens()).toBe(`${Number(before) + 20}`);
    const key = await api.newKey(["write"]);
    const reverted = await revert(id, key);
    expect([reverted.status, reverted.body]).toMatchObject([
      201,
      { kind: "void", status: "executed", backfill: id, event_count: 2 },
    ]);
    expect(await tokens()).toBe(before);
    expect((await revert(id, key)).body.id).toBe(reverted.body.id);
    expect((await call(`/${id}`)).body).toMatchObject({
      state: "reverted",
      revert: reverted.body.id,
      events: { accepted: 2, voided: 2 },
    });
    expect(refusal(await call(`/${id}/close`, {}))).toBe("409 usage_backfill_reverted");
    expect((await send(id, wireEvent({ id: randomUUID() }))).status).toBe(409);
  });

  test("what was voided before is not voided again", async () => {
    const id = await opened();
    const [one, two] = [wireEvent({ id: randomUUID() }), wireEvent({ id: randomUUID() })];
    const before = await tokens();
    await send(id, one, two);
    const key = await api.newKey(["write"]);
    await api.call(
      "POST",
      "/v1/usage/corrections",
      { kind: "void", reason_code: "duplicate", events: [{ source: one.source, id: one.id }] },
      { key: await api.newKey(["write"]) },
    );
    expect((await revert(id, key)).body.event_count).toBe(1);
    expect(await tokens()).toBe(before);
  });

  test("an empty one is reverted at once, however low the limit", async () => {
    const id = await opened();
    expect((await revert(id)).body).toMatchObject({ status: "executed", event_count: 0 });
    expect((await call(`/${id}`)).body.state).toBe("reverted");
  });

  test("above the limit it is closed, waits for another key, and may be asked for again when that refuses", async () => {
    const id = await opened();
    const before = await tokens();
    await send(id, ...[1, 2, 3].map(() => wireEvent({ id: randomUUID() })));
    const [key, finance] = [await api.newKey(["write"]), await api.newKey(["approve"])];
    const waiting = await revert(id, key);
    expect([waiting.status, waiting.body.status]).toEqual([202, "pending_approval"]);
    expect((await call(`/${id}`)).body).toMatchObject({ state: "closed", revert: waiting.body.id });
    const decide = (correction: string, decision: string) =>
      api.call("POST", `/v1/usage/corrections/${correction}/${decision}`, { note: "seen" }, { key: finance });
    expect((await decide(waiting.body.id, "reject")).status).toBe(200);
    expect((await call(`/${id}`)).body).toMatchObject({ state: "closed", revert: null });
    const again = await revert(id, key);
    expect((await decide(again.body.id, "approve")).body.status).toBe("executed");
    expect((await call(`/${id}`)).body).toMatchObject({ state: "reverted", events: { voided: 3 } });
    expect(await tokens()).toBe(before);
    const listed = await call("?state=reverted");
    expect(listed.body.data.map((backfill: { id: string }) => backfill.id)).toContain(id);
  });
});
