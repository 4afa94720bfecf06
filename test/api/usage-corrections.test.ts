import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectInvariants } from "../db/usage-fixture.ts";
import { refusal } from "./support/adjusting.ts";
import { type IngestApi, startIngestApi, wireEvent } from "./support/ingest-api.ts";
import type { Answer } from "./support/running-api.ts";

let api: IngestApi;
beforeAll(async () => {
  api = await startIngestApi({ unapprovedCorrectionsMax: 3 });
});
afterAll(async () => {
  await expectInvariants(api.db);
  await api.stop();
});

const source = "gateway";

/** Reports requests of ten tokens under names of their own. */
async function reported(count = 1): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await api.post(ids.map((id) => wireEvent({ id })));
  return ids;
}

const correct = (body: object, key?: string, idempotencyKey?: string): Promise<Answer> =>
  api.call(
    "POST",
    "/v1/usage/corrections",
    { reason_code: "duplicate", ...body },
    { ...(key === undefined ? {} : { key }), ...(idempotencyKey === undefined ? {} : { idempotencyKey }) },
  );
const voided = (ids: readonly string[], key?: string) =>
  correct({ kind: "void", events: ids.map((id) => ({ source, id })) }, key);
const amended = (id: string, data: object, key?: string) =>
  correct({ kind: "amend", reason_code: "wrong_quantity", events: [{ source, id, data }] }, key);
const decide = (id: string, decision: string, key: string) =>
  api.call("POST", `/v1/usage/corrections/${id}/${decision}`, { note: "seen" }, { key });

interface Listed {
  readonly data: object;
  readonly contributions: { meter: string; quantity: string }[];
  readonly standing: { meter: string; quantity: string }[];
  readonly corrections: { kind: string; data?: object }[];
}
async function stored(id: string): Promise<Listed> {
  const { body } = await api.call("GET", `/v1/events?source=${source}&id=${id}`);
  return body.data[0];
}
/** Tokens that count of an event, null when nothing does. */
const tokensOf = async (id: string) =>
  (await stored(id)).standing.find(({ meter }) => meter === "tokens")?.quantity ?? null;

const more = { model: "large", class: "input", tokens: 25 };

describe("what one key may do", () => {
  test("a void takes back what counted, and the event stays as it was", async () => {
    const [id = ""] = await reported();
    const answer = await voided([id], await api.newKey(["write"]));
    expect([answer.status, answer.body]).toMatchObject([
      201,
      {
        kind: "void",
        status: "executed",
        event_count: 1,
        approval: { limit: 3, counted: 1, changes_billed: false, needed: false },
        decision: null,
      },
    ]);
    expect(await stored(id)).toMatchObject({
      state: "accepted",
      data: { tokens: 10 },
      contributions: [{ quantity: "10" }, { quantity: "1" }, { quantity: "10" }],
      standing: [],
      corrections: [{ correction: answer.body.id, kind: "void", reason_code: "duplicate" }],
    });
  });

  test("an amended event counts what it says now, again and again, until it is voided", async () => {
    const [id = ""] = await reported();
    const key = await api.newKey(["write"]);
    expect((await amended(id, more, key)).status).toBe(201);
    expect(await tokensOf(id)).toBe("25");
    expect((await amended(id, { ...more, tokens: "0.5" }, key)).status).toBe(201);
    expect(await tokensOf(id)).toBe("0.5");
    expect((await voided([id], key)).status).toBe(201);
    expect(await tokensOf(id)).toBeNull();
    expect((await stored(id)).corrections.map(({ kind, data }) => [kind, data])).toEqual([
      ["amend", more],
      ["amend", { ...more, tokens: "0.5" }],
      ["void", undefined],
    ]);
    expect((await stored(id)).data).toEqual({ model: "large", class: "input", tokens: 10 });
  });

  test("the same request again is the same correction", async () => {
    const [id = ""] = await reported();
    const [key, name] = [await api.newKey(["write"]), randomUUID()];
    const body = { kind: "void", events: [{ source, id }] };
    const [first, again] = [await correct(body, key, name), await correct(body, key, name)];
    expect([again.status, again.body.id]).toEqual([201, first.body.id]);
    expect((await stored(id)).corrections).toHaveLength(1);
  });
});

describe("refusals", () => {
  test("name each event that is in the way, and nothing is corrected", async () => {
    const [good = "", gone = "", same = "", unfit = ""] = await reported(4);
    const waiting = randomUUID();
    await api.post(wireEvent({ id: waiting, customer: "nobody" }));
    await voided([gone], await api.newKey(["write"]));
    const event = (id: string, tokens: unknown = 1) => ({ source, id, data: { ...more, tokens } });
    const answer = await correct({
      kind: "amend",
      events: [
        event(good),
        event("never sent"),
        event(waiting),
        event(gone),
        event(good, 2),
        event(same, 10),
        event(unfit, -1),
      ].map((asked) =>
        asked.id === same ? { ...asked, data: { class: "input", tokens: 10, model: "large" } } : asked,
      ),
    });
    expect(refusal(answer)).toBe("422 usage_correction_refused");
    expect(
      answer.body.refusals.map(({ index, code }: { index: number; code: string }) => [index, code]),
    ).toEqual([
      [1, "usage_event_not_found"],
      [2, "usage_event_quarantined"],
      [3, "usage_event_voided"],
      [4, "usage_event_repeated"],
      [5, "usage_event_unchanged"],
      [6, "usage_quantity_negative"],
    ]);
    expect(await tokensOf(good)).toBe("10");
  });

  test.each([
    { body: { kind: "void", events: [] }, field: "events", why: "no event" },
    {
      body: { kind: "void", events: [{ source, id: "x", data: {} }] },
      field: "events[0]",
      why: "a void with data",
    },
    { body: { kind: "amend", events: [{ source, id: "x" }] }, field: "events[0].data", why: "no data" },
    {
      body: { kind: "void", events: [{ source, id: "x" }], reason_code: "other" },
      field: "note",
      why: "no words",
    },
  ])("of a request with $why", async ({ body, field }) => {
    const answer = await correct(body);
    expect(refusal(answer)).toBe("400 request_invalid");
    expect(answer.body.field).toContain(field);
  });

  test("by scope: who reports usage may not correct it", async () => {
    expect(refusal(await voided(["x"], await api.newKey(["usage:write"])))).toBe("403 scope_missing");
  });
});

describe("what needs two", () => {
  test("parts of one key add up, and what is above the limit waits until another key agrees", async () => {
    const ids = await reported(4);
    const [key, finance] = [await api.newKey(["write", "approve"]), await api.newKey(["approve"])];
    expect((await voided(ids.slice(0, 2), key)).status).toBe(201);
    const waiting = await voided(ids.slice(2), key);
    expect([waiting.status, waiting.body]).toMatchObject([
      202,
      { status: "pending_approval", effective_at: null, approval: { limit: 3, counted: 4, needed: true } },
    ]);
    expect(await tokensOf(ids[3] ?? "")).toBe("10");
    expect(refusal(await decide(waiting.body.id, "approve", key))).toBe("403 approver_is_requester");
    expect(refusal(await decide(waiting.body.id, "withdraw", api.adminKey))).toBe("403 requester_only");
    const approved = await decide(waiting.body.id, "approve", finance);
    expect([approved.status, approved.body.status]).toEqual([200, "executed"]);
    expect(await tokensOf(ids[3] ?? "")).toBeNull();
    expect((await decide(waiting.body.id, "approve", finance)).status).toBe(200);
    expect(refusal(await decide(waiting.body.id, "reject", finance))).toBe(
      "409 usage_correction_not_pending",
    );
  });

  test("an approval is of the events as they were when it was asked for", async () => {
    const ids = await reported(4);
    const [key, other, finance] = [
      await api.newKey(["write"]),
      await api.newKey(["write"]),
      await api.newKey(["approve"]),
    ];
    const waiting = await voided(ids, key);
    expect((await amended(ids[1] ?? "", more, other)).status).toBe(201);
    const refused = await decide(waiting.body.id, "approve", finance);
    expect(refusal(refused)).toBe("422 usage_correction_refused");
    expect(refused.body.refusals).toMatchObject([{ index: 1, id: ids[1], code: "usage_event_changed" }]);
    expect((await decide(waiting.body.id, "reject", finance)).body.status).toBe("rejected");
    expect(await tokensOf(ids[0] ?? "")).toBe("10");
  });

  test("lists and single corrections show where each stands", async () => {
    const ids = await reported(4);
    const key = await api.newKey(["write"]);
    const { body } = await voided(ids, key);
    const query = `status=pending_approval&customer=acme&actor=${body.requested_by}`;
    const listed = await api.call("GET", `/v1/usage/corrections?${query}`);
    expect(listed.body.data.map(({ id }: { id: string }) => id)).toEqual([body.id]);
    expect((await api.call("GET", "/v1/usage/corrections?customer=nobody")).body.data).toEqual([]);
    expect((await decide(body.id, "withdraw", key)).body.status).toBe("withdrawn");
    const one = await api.call("GET", `/v1/usage/corrections/${body.id}`);
    expect(one.body).toMatchObject({ status: "withdrawn", decision: { note: "seen" } });
    expect(one.body.events.map(({ id }: { id: string }) => id).sort()).toEqual([...ids].sort());
    expect(refusal(await api.call("GET", "/v1/usage/corrections/none"))).toBe(
      "404 usage_correction_not_found",
    );
  });
});
