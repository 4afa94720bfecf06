import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const ask = (calculator: string, question: object) =>
  api.call("POST", `/v1/calculate/${calculator}`, question, { idempotencyKey: null });

const answerTo = async (calculator: string, question: object) => {
  const { status, body } = await ask(calculator, question);
  expect({ status, detail: body.detail }).toEqual({ status: 200, detail: undefined });
  return body;
};

describe("money", () => {
  test.each([
    {
      money: { currency: "usd", amount: "12.345" },
      amount_minor: "1234",
      why: "a tie goes to the even cent",
    },
    {
      money: { currency: "usd", amount: "12.345", rounding: "half_up" },
      amount_minor: "1235",
      why: "half up",
    },
    {
      money: { currency: "usd", amount: "-12.349", rounding: "down" },
      amount_minor: "-1234",
      why: "towards zero",
    },
    {
      money: { currency: "usd", amount: "12.341", rounding: "up" },
      amount_minor: "1235",
      why: "away from zero",
    },
    { money: { currency: "jpy", amount: "1250.4" }, amount_minor: "1250", why: "yen have no decimals" },
    { money: { currency: "kwd", amount: "5.1244" }, amount_minor: "5124", why: "dinars have three" },
    {
      money: { currency: "kwd", amount: "5.124", minor_units: "stripe" },
      amount_minor: "5120",
      why: "512.4 tens",
    },
    { money: { currency: "isk", amount: "500" }, amount_minor: "500", why: "ISO: krónur have no decimals" },
    {
      money: { currency: "isk", amount: "500", minor_units: "stripe" },
      amount_minor: "50000",
      why: "hundredths",
    },
    {
      money: { currency: "isk", amount: "40.10", minor_units: "stripe" },
      amount_minor: "4000",
      why: "whole krónur",
    },
    {
      money: { currency: "ugx", amount: "5", minor_units: "stripe" },
      amount_minor: "500",
      why: "hundredths",
    },
    {
      money: { currency: "mga", amount: "12.6", minor_units: "stripe" },
      amount_minor: "13",
      why: "whole ariary",
    },
    { money: { currency: "mga", amount: "12.6" }, amount_minor: "1260", why: "ISO: two decimals" },
  ])("$money is $amount_minor: $why", async ({ money, amount_minor }) => {
    expect(await answerTo("money", money)).toMatchObject({ amount_minor });
  });

  const thirds = ["1", "1", "1"];
  test.each([
    {
      total: "10000",
      allocate: { weights: thirds },
      parts: ["3334", "3333", "3333"],
      why: "the first of equals",
    },
    {
      total: "10000",
      allocate: { weights: thirds, remainder: "last" },
      parts: ["3333", "3333", "3334"],
      why: "the last",
    },
    { total: "-100", allocate: { weights: thirds }, parts: ["-34", "-33", "-33"], why: "mirrored" },
    {
      total: "-100",
      allocate: { weights: thirds, negative: "floored" },
      parts: ["-33", "-33", "-34"],
      why: "three times -34 is 2 too low: the first two get 1 each",
    },
    {
      total: "1",
      allocate: { weights: ["1", "1", "0"], remainder: "last" },
      parts: ["0", "1", "0"],
      why: "no weight",
    },
  ])("$total by $allocate is $parts: $why", async ({ total, allocate, parts }) => {
    const answer = await answerTo("money", { currency: "usd", amount_minor: total, allocate });
    expect(answer.parts_minor).toEqual(parts);
  });

  test("says what rounding did", async () => {
    expect(await answerTo("money", { currency: "usd", amount_minor: "1250.75" })).toEqual({
      currency: "usd",
      decimals: 2,
      step_minor: "1",
      exact_minor: "1250.75",
      amount_minor: "1251",
      amount: "12.51",
      rounding_minor: "0.25",
      parts_minor: [],
    });
  });
});

describe("periods", () => {
  const periods = async (question: object) =>
    (await answerTo("periods", question)).periods.map(
      ({ start, seconds }: { start: string; seconds: string }) =>
        `${start.slice(0, 16)} ${Number(seconds) / 3600}`,
    );

  test("31 January, monthly: 28 February, 31 March, 30 April", async () => {
    const question = { anchor: "2026-01-31T00:00:00Z", interval: { unit: "month" }, count: 4 };
    expect(await periods(question)).toEqual([
      "2026-01-31T00:00 672", // 28 days
      "2026-02-28T00:00 744", // 31 days
      "2026-03-31T00:00 720", // 30 days
      "2026-04-30T00:00 744",
    ]);
  });

  test("days of 23 and 25 hours in Berlin", async () => {
    const berlin = { interval: { unit: "day" }, time_zone: "Europe/Berlin", count: 2 };
    expect(await periods({ ...berlin, anchor: "2026-03-27T23:00:00Z" })).toEqual([
      "2026-03-27T23:00 24",
      "2026-03-28T23:00 23",
    ]);
    expect(await periods({ ...berlin, anchor: "2026-10-24T22:00:00Z" })).toEqual([
      "2026-10-24T22:00 25",
      "2026-10-25T23:00 24",
    ]);
  });

  test("from any instant, before the anchor too", async () => {
    const question = { anchor: "2026-01-31T00:00:00Z", interval: { unit: "month" }, count: 1 };
    const answer = await answerTo("periods", { ...question, from: "2025-12-05T00:00:00Z" });
    expect(answer.periods).toEqual([
      {
        index: -2,
        start: "2025-11-30T00:00:00.000Z",
        end: "2025-12-31T00:00:00.000Z",
        is_part: false,
        is_trial: false,
        seconds: "2678400",
      },
    ]);
  });
});

describe("periods after a trial of ten days", () => {
  const question = { anchor: "2026-01-05T00:00:00Z", interval: { unit: "month" }, count: 3 };
  test.each([
    {
      anchor: "trial_end",
      told: ["01-05 trial", "01-15", "02-15"],
      why: "whole months from the end of the trial",
    },
    {
      anchor: "trial_start",
      told: ["01-05 trial", "01-15 part", "02-05"],
      why: "the rest of the month that began with it",
    },
  ])("$anchor: $why", async ({ anchor, told }) => {
    const trial = { length: { unit: "day", count: 10 }, anchor };
    const { periods } = await answerTo("periods", { ...question, trial });
    expect(
      periods.map(
        ({ start, is_trial, is_part }: { start: string; is_trial: boolean; is_part: boolean }) =>
          `${start.slice(5, 10)}${is_trial ? " trial" : ""}${is_part ? " part" : ""}`,
      ),
    ).toEqual(told);
  });
});

describe("periods on days of the calendar", () => {
  const start = { anchor: "2026-01-20T12:00:00Z", count: 2 };
  test.each([
    {
      interval: { unit: "month" },
      rule: {},
      starts: ["2026-01-20T12:00", "2026-02-01T00:00"],
      why: "the first",
    },
    {
      interval: { unit: "month" },
      rule: { day: 31 },
      starts: ["2026-01-20T12:00", "2026-01-31T00:00"],
      why: "the 31st",
    },
    {
      interval: { unit: "week" },
      rule: { weekday: 1 },
      starts: ["2026-01-20T12:00", "2026-01-26T00:00"],
      why: "Monday",
    },
    {
      interval: { unit: "quarter" },
      rule: {},
      starts: ["2026-01-20T12:00", "2026-04-01T00:00"],
      why: "1 April",
    },
  ])("$interval.unit: a part until $why, then whole ones", async ({ interval, rule, starts }) => {
    const { periods } = await answerTo("periods", {
      ...start,
      interval,
      rule: { type: "calendar", ...rule },
    });
    expect(periods.map((each: { start: string }) => each.start.slice(0, 16))).toEqual(starts);
    expect(periods.map((each: { is_part: boolean }) => each.is_part)).toEqual([true, false]);
  });

  test("a rule that the interval has no use for", async () => {
    const question = { ...start, interval: { unit: "month" }, rule: { type: "calendar", weekday: 1 } };
    const { status, body } = await ask("periods", question);
    expect([status, body.code]).toEqual([422, "anchor_rule_invalid"]);
  });
});

describe("aggregation", () => {
  const meter = {
    key: "tokens",
    event_type: "request",
    aggregation: "sum",
    property: "tokens",
    dimensions: ["model"],
  };
  const event = (id: string, time: string, tokens: number, model = "deep") => ({
    id,
    time,
    data: { tokens, model },
  });
  const march = { from: "2026-03-01T00:00:00Z", to: "2026-04-01T00:00:00Z" };
  const events = [
    event("a", "2026-03-01T00:00:00Z", 100),
    event("b", "2026-03-31T23:59:59Z", 20, "swift"),
    event("c", "2026-04-01T00:00:00Z", 7),
  ];

  test("counts what happened in the period, by dimension", async () => {
    expect(await answerTo("aggregation", { meter, events, ...march })).toEqual({
      quantity: "120",
      groups: [
        { dimensions: { model: "deep" }, quantity: "100" },
        { dimensions: { model: "swift" }, quantity: "20" },
      ],
      windows: [],
      events_counted: 2,
      duplicates: [],
      conflicts: [],
    });
  });

  const twice = [event("a", "2026-03-02T00:00:00Z", 100), event("a", "2026-03-02T00:00:00Z", 90)];
  test.each([
    { duplicates: "ignored", quantity: "100", why: "the first stands" },
    { duplicates: "last_wins", quantity: "90", why: "the second takes its place" },
  ])("$duplicates: $quantity, for $why", async ({ duplicates, quantity }) => {
    const answer = await answerTo("aggregation", { meter, events: twice, ...march, duplicates });
    expect(answer).toMatchObject({ quantity, conflicts: ["a"], duplicates: [] });
  });

  test("events that take back, where the meter says that they may", async () => {
    const back = [...events, event("d", "2026-03-15T00:00:00Z", -30)];
    const refused = await ask("aggregation", { meter, events: back, ...march });
    expect([refused.status, refused.body.code, refused.body.field]).toEqual([
      422,
      "usage_quantity_negative",
      "events[3].data.tokens",
    ]);
    const counted = { ...meter, negative: "counted" };
    expect(await answerTo("aggregation", { meter: counted, events: back, ...march })).toMatchObject({
      quantity: "90",
    });
  });

  test("rejected: says which", async () => {
    const { status, body } = await ask("aggregation", {
      meter,
      events: twice,
      ...march,
      duplicates: "rejected",
    });
    expect([status, body.code, body.field]).toEqual([422, "usage_event_duplicate", "events[1].id"]);
  });

  test("in windows on the customer's clock", async () => {
    const windows = { size: "day", time_zone: "Europe/Berlin" };
    const question = { meter, events, from: "2026-03-31T00:00:00Z", to: "2026-04-02T00:00:00Z", windows };
    expect((await answerTo("aggregation", question)).windows).toEqual([
      { start: "2026-03-31T00:00:00.000Z", end: "2026-03-31T22:00:00.000Z", quantity: "0" },
      { start: "2026-03-31T22:00:00.000Z", end: "2026-04-01T22:00:00.000Z", quantity: "27" }, // 20 + 7
      { start: "2026-04-01T22:00:00.000Z", end: "2026-04-02T00:00:00.000Z", quantity: "0" },
    ]);
  });

  test("a level from before the period goes on holding in it", async () => {
    const seats = { key: "seats", event_type: "seats", aggregation: "time_weighted_sum", property: "tokens" };
    const question = {
      meter: seats,
      events: [event("a", "2026-02-28T00:00:00Z", 3), event("b", "2026-03-01T00:30:00Z", 5)],
      from: "2026-03-01T00:00:00Z",
      to: "2026-03-01T01:00:00Z",
    };
    expect((await answerTo("aggregation", question)).quantity).toBe("14400"); // 3 × 1800 s + 5 × 1800 s
  });

  test.each([
    {
      why: "an event without the property",
      question: { meter, events: [events[0], { id: "x", time: "2026-03-02T00:00:00Z" }] },
      code: "usage_property_missing",
      field: "events[1].data.tokens",
    },
    {
      why: "a meter that cannot be",
      question: { meter: { ...meter, property: undefined }, events: [] },
      code: "catalog_invalid",
      field: "meter.property",
    },
    {
      why: "a period that ends before it begins",
      question: { meter, events: [], to: "2026-02-01T00:00:00Z" },
      code: "period_invalid",
      field: "to",
    },
    {
      why: "a year of minutes",
      question: { meter, events: [], windows: { size: "minute" } },
      code: "windows_too_many",
      field: "windows",
    },
    {
      why: "2,001 events",
      question: {
        meter,
        events: Array.from({ length: 2_001 }, (_, n) => event(`${n}`, "2026-03-02T00:00:00Z", 1)),
      },
      code: "calculation_too_large",
      field: "events",
    },
  ])("refuses $why", async ({ question, code, field }) => {
    const { status, body } = await ask("aggregation", { ...march, ...question });
    expect([status, body.code, body.field]).toEqual([422, code, field]);
  });
});

describe("dunning schedule", () => {
  const failedAt = "2026-03-01T09:00:00Z";
  const polar = { retry_after_days: [2, 7, 14, 21], final_action: "cancel", access_grace_days: 7 };
  const days = (rows: { at: string }[]) =>
    rows.map(({ at }) => (Date.parse(at) - Date.parse(failedAt)) / 86_400_000);

  test("failure on day 0: days 2, 7, 14, 21, and then it is canceled", async () => {
    const answer = await answerTo("dunning-schedule", { policy: polar, failed_at: failedAt });
    expect(days(answer.attempts)).toEqual([0, 2, 7, 14, 21]);
    expect([answer.outcome, answer.ended_at]).toEqual(["exhausted", "2026-03-22T09:00:00.000Z"]);
    const state = { invoice: "open", dunning: "retrying", subscription: "past_due", access: "granted" };
    expect(answer.states).toEqual([
      { ...state, from: "2026-03-01T09:00:00.000Z" },
      { ...state, from: "2026-03-08T09:00:00.000Z", access: "ended" },
      {
        from: "2026-03-22T09:00:00.000Z",
        invoice: "uncollectible",
        dunning: "exhausted",
        subscription: "canceled",
        access: "ended",
      },
    ]);
  });

  test("an attempt that the customer causes uses up none of the schedule", async () => {
    const outcome = { status: "declined" };
    const events = [{ type: "new_payment_method", at: "2026-03-02T09:00:00Z", outcome }];
    const answer = await answerTo("dunning-schedule", { policy: polar, failed_at: failedAt, events });
    expect(days(answer.attempts)).toEqual([0, 1, 2, 7, 14, 21]);
  });

  test("a card that is of no more use is not tried again; a new one recovers", async () => {
    const outcome = { status: "paid" };
    const events = [{ type: "new_payment_method", at: "2026-03-11T09:00:00Z", outcome }];
    const answer = await answerTo("dunning-schedule", {
      policy: polar,
      failed_at: failedAt,
      decline: "hard",
      events,
    });
    expect(days(answer.attempts)).toEqual([0, 10]);
    expect(
      answer.states.map(({ dunning, access }: Record<string, string>) => `${dunning} ${access}`),
    ).toEqual(["awaiting_payment_method granted", "awaiting_payment_method ended", "recovered granted"]);
  });

  test("what is uncollectible stays past due, and access ends with the grace", async () => {
    const policy = { retry_after_days: [1], final_action: "uncollectible", access_grace_days: 3 };
    const { states } = await answerTo("dunning-schedule", { policy, failed_at: failedAt });
    expect(
      states.map(({ from, ...state }: { from: string }) => [from.slice(0, 10), ...Object.values(state)]),
    ).toEqual([
      ["2026-03-01", "open", "retrying", "past_due", "granted"],
      ["2026-03-02", "uncollectible", "exhausted", "past_due", "granted"],
      ["2026-03-04", "uncollectible", "exhausted", "past_due", "ended"],
    ]);
  });

  test.each([
    { over: { policy: { retry_after_days: [3, 3] } }, field: "policy.retry_after_days[1]" },
    { over: { events: [{ type: "paid", at: "2026-02-01T00:00:00Z" }] }, field: "events[0].at" },
  ])("refuses $field", async ({ over, field }) => {
    const { status, body } = await ask("dunning-schedule", { policy: polar, failed_at: failedAt, ...over });
    expect([status, body.field]).toEqual([422, field]);
  });
});

test.each([
  { calculator: "money", question: { currency: "usd" }, field: "amount" },
  { calculator: "money", question: { currency: "usd", amount: 12.5 }, field: "amount" },
  { calculator: "money", question: { currency: "usd", amount: "1", vat: "19" }, field: "vat" },
  { calculator: "periods", question: { anchor: "2026-01-31", interval: { unit: "month" } }, field: "anchor" },
  {
    calculator: "periods",
    question: { anchor: "2026-01-31T00:00:00Z", interval: { unit: "month" }, time_zone: "Mars/Base" },
    field: "time_zone",
  },
])("$calculator refuses $question, naming $field", async ({ calculator, question, field }) => {
  const { status, body } = await ask(calculator, question);
  expect([status, body.code, body.field]).toEqual([400, "request_invalid", field]);
});

test("a key that may only send usage may not ask", async () => {
  const key = await api.newKey(["usage:write"]);
  const { status } = await api.call("POST", "/v1/calculate/money", { currency: "usd", amount: "1" }, { key });
  expect(status).toBe(403);
});
