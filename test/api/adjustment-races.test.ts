import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adjustmentCommands } from "../../src/api/commands/adjustment-commands.ts";
import type { AdjustmentCommands } from "../../src/api/dependencies.ts";
import { expectInvariants } from "../support/invariants.ts";
import { adjusting } from "./support/adjusting.ts";
import { approvalLimits, type RunningApi, startApi, wallClock } from "./support/running-api.ts";

let api: RunningApi;
const { person, customer, grant, balance, adjust, voidGrant, decide, detail, postings } = adjusting(
  () => api,
);

/** How many commands still die after what they did was committed, before anybody could be told. */
let deaths = 0;

beforeAll(async () => {
  const real = () => adjustmentCommands({ db: api.db, now: () => wallClock, approvalLimits });
  const mortal: AdjustmentCommands = {
    request: (...request) =>
      real()
        .request(...request)
        .then(dieInTurn),
    decide: (...request) =>
      real()
        .decide(...request)
        .then(dieInTurn),
  };
  api = await startApi({ adjustments: mortal });
});
afterAll(async () => {
  await expectInvariants(api.db);
  await api.stop();
});

function dieInTurn(): void {
  if (deaths === 0) return;
  deaths--;
  throw new Error("the process died");
}

const statuses = (answers: readonly { status: number }[]) => answers.map(({ status }) => status).toSorted();

describe("at the same time", () => {
  test("of ten who approve one adjustment, one executes it", async () => {
    const id = await customer();
    const { body } = await balance(id, "60000", await person("write"));
    const approvers = await Promise.all(Array.from({ length: 10 }, () => person("approve")));
    const answers = await Promise.all(approvers.map((key) => decide(body.id, "approve", key)));
    expect(statuses(answers)).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
    expect(await postings(id)).toEqual(["5200 → 2200 60000"]);
  });

  test("of approval, rejection and withdrawal one counts, and what it says is what is booked", async () => {
    for (let round = 0; round < 5; round++) {
      const [key, id] = [await person("write"), await customer()];
      const { body } = await balance(id, "60000", key);
      const answers = await Promise.all([
        decide(body.id, "approve", await person("approve")),
        decide(body.id, "withdraw", key),
        decide(body.id, "reject", await person("approve")),
      ]);
      expect(statuses(answers)).toEqual([200, 409, 409]);
      const { status } = await detail(body.id);
      expect(await postings(id)).toHaveLength(status === "executed" ? 1 : 0);
    }
  });

  test("of twenty parts of one sum only those within the limit are executed", async () => {
    const [key, id] = [await person("write"), await customer()];
    const answers = await Promise.all(Array.from({ length: 20 }, () => balance(id, "10000", key)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(15);
    expect(await postings(id)).toHaveLength(5);
  });

  test("of two voids of one grant one takes what is left, and the other is told", async () => {
    const id = await customer();
    const { body: given } = await grant(id, "500", await person("write"));
    const answers = await Promise.all([
      voidGrant(given.id, await person("write")),
      voidGrant(given.id, await person("write")),
    ]);
    expect(statuses(answers)).toEqual([201, 409]);
    expect(await postings(id)).toEqual(["1300 → 2010 500", "2010 → 1300 500"]);
  });

  test("no more is taken from a grant than is in it", async () => {
    const id = await customer();
    const { body: given } = await grant(id, "500", await person("write"));
    const keys = await Promise.all(Array.from({ length: 8 }, () => person("write")));
    const answers = await Promise.all(keys.map((key) => adjust(given.id, "-100", key)));
    expect(statuses(answers)).toEqual([201, 201, 201, 201, 201, 409, 409, 409]);
  });
});

describe("repeated under its Idempotency-Key", () => {
  test("a request that was executed is answered as before, and done once", async () => {
    const [key, id, idempotencyKey] = [await person("write"), await customer(), randomUUID()];
    const first = await balance(id, "100", key, { idempotencyKey });
    const again = await balance(id, "100", key, { idempotencyKey });
    expect(again.text).toBe(first.text);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(await postings(id)).toHaveLength(1);
  });

  test.each([
    { amount: "100", status: 201, entries: 1 },
    { amount: "60000", status: 202, entries: 0 },
  ])("a request for $amount whose process died is done once", async ({ amount, status, entries }) => {
    const [key, id, idempotencyKey] = [await person("write"), await customer(), randomUUID()];
    deaths = 1;
    expect((await balance(id, amount, key, { idempotencyKey })).status).toBe(500);
    const again = await balance(id, amount, key, { idempotencyKey });
    expect([again.status, again.body.approval.counted_minor]).toEqual([status, amount]);
    expect(await postings(id)).toHaveLength(entries);
    const { body } = await api.call("GET", `/v1/adjustments?customer=${id}`);
    expect(body.data).toEqual([again.body]);
  });

  test("a void whose process died is told that it was done", async () => {
    const [key, id] = [await person("write"), await customer()];
    const { body: given } = await grant(id, "500", key);
    const again = () =>
      api.call(
        "POST",
        `/v1/credit-grants/${given.id}/void`,
        { reason_code: "fraud" },
        { key, idempotencyKey: "v" },
      );
    deaths = 1;
    expect((await again()).status).toBe(500);
    const answer = await again();
    expect([answer.status, answer.body]).toMatchObject([201, { status: "executed", change_minor: "-500" }]);
  });

  test("a decision whose process died is made once", async () => {
    const id = await customer();
    const { body } = await balance(id, "60000", await person("write"));
    const [finance, idempotencyKey] = [await person("approve"), randomUUID()];
    deaths = 1;
    expect((await decide(body.id, "approve", finance, { idempotencyKey })).status).toBe(500);
    const again = await decide(body.id, "approve", finance, { idempotencyKey });
    expect([again.status, again.body.status]).toEqual([200, "executed"]);
    expect(await postings(id)).toHaveLength(1);
  });
});
