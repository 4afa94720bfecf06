import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningApi, startApi } from "./support/running-api.ts";

/** Calculators of amounts, by worked examples. Amounts are cents. */

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const ask = (calculator: string, question: object) =>
  api.call("POST", `/v1/calculate/${calculator}`, { currency: "usd", ...question }, { idempotencyKey: null });

const answerTo = async (calculator: string, question: object) => {
  const { status, body } = await ask(calculator, question);
  expect({ status, detail: body.detail }).toEqual({ status: 200, detail: undefined });
  return body;
};

describe("price", () => {
  const tiers = [
    { up_to: "100", unit_price_minor: "10" },
    { up_to: null, unit_price_minor: "5" },
  ];
  const graduated = { type: "graduated", tiers };
  const packages = { type: "package", package_size: "100", package_price_minor: "500" };
  const amounts = async (question: object) =>
    (await answerTo("price", question)).results.map(
      ({ amount_minor }: { amount_minor: string }) => amount_minor,
    );

  test.each([
    {
      model: graduated,
      quantities: ["100", "101", "150"],
      cents: ["1000", "1005", "1250"],
      why: "100 × 10, then 5 each",
    },
    {
      model: { type: "volume", tiers },
      quantities: ["100", "101", "150"],
      cents: ["1000", "505", "750"],
      why: "all at 5",
    },
    {
      model: packages,
      included: "20",
      quantities: ["20", "21", "120", "121"],
      cents: ["0", "500", "500", "1000"],
      why: "20 free",
    },
    {
      model: { ...packages, at_zero: "one_package" },
      quantities: ["0"],
      cents: ["500"],
      why: "one is due at zero",
    },
    {
      model: { type: "per_unit", unit_price_minor: "0.0003" },
      quantities: ["1000000"],
      cents: ["300"],
      why: "0.0003 × 10⁶",
    },
    { model: graduated, quantities: ["-101"], cents: ["0"], why: "clamped" },
    { model: graduated, negative: "mirrored", quantities: ["-101"], cents: ["-1005"], why: "mirrored" },
    {
      model: {
        type: "stairstep",
        steps: [
          { up_to: "10", price_minor: "900" },
          { up_to: null, price_minor: "1500" },
        ],
      },
      quantities: ["10", "11"],
      cents: ["900", "1500"],
      why: "the step reached",
    },
    {
      model: { type: "percentage", percent: "2.9", fee_per_event_minor: "30" },
      events: ["1000", "2000"],
      cents: ["147"],
      why: "29 + 30 and 58 + 30",
    },
    {
      model: { type: "per_unit", unit_price_minor: "0.5" },
      rounding: "up",
      quantities: ["1"],
      cents: ["1"],
      why: "half a cent, rounded up",
    },
  ])("$model.type: $why", async ({ cents, why: _why, ...question }) => {
    expect(await amounts(question)).toEqual(cents);
  });

  test.each([
    { bucket_price: "each", cents: ["1000"], why: "60 and 70 begin a package each" },
    { bucket_price: "sum", cents: ["1000"], why: "130 are two packages" },
    { bucket_price: "each", buckets: ["100", "100.5"], cents: ["1500"], why: "one, and two" },
    { bucket_price: "sum", buckets: ["60", "40"], cents: ["500"], why: "100 fill one package" },
    { bucket_price: "each", buckets: ["60", "40"], cents: ["1000"], why: "each begins one" },
  ])("maxima priced $bucket_price: $why", async ({ cents, why: _why, ...question }) => {
    expect(await amounts({ model: packages, buckets: ["60", "70"], ...question })).toEqual(cents);
  });

  test("late usage is the difference of two totals: 90 were billed, 30 more come", async () => {
    const [before, after] = await amounts({ model: graduated, quantities: ["90", "120"] });
    expect(Number(after) - Number(before)).toBe(200); // 100 × 10 + 20 × 5 - 90 × 10; 30 alone would be 300
  });

  test("tiers are told one by one and sum to the total", async () => {
    const [result] = (await answerTo("price", { model: graduated, quantities: ["150.5"] })).results;
    expect(result).toMatchObject({ quantity: "150.5", exact_minor: "1252.5", amount_minor: "1252" });
    expect(
      result.tiers.map(({ from, to, quantity, exact_minor }: Record<string, string>) => [
        from,
        to,
        quantity,
        exact_minor,
      ]),
    ).toEqual([
      ["0", "100", "100", "1000"],
      ["100", null, "50.5", "252.5"],
    ]);
  });

  test("a matrix by its cells, and a mark-up over costs", async () => {
    const matrix = {
      type: "matrix",
      dimensions: ["modelName"],
      cells: [{ values: { modelName: "deepMind" }, unit_price_minor: "0.3" }],
      default_unit_price_minor: "0.1",
    };
    const cells = [
      { dimensions: { modelName: "deepMind" }, quantity: "1000" },
      { dimensions: { modelName: "swift" }, quantity: "500" },
    ];
    expect(await amounts({ model: matrix, cells })).toEqual(["350"]); // 300 + 50
    const markup = {
      type: "cost_plus",
      cost_table: "provider",
      token_class: "input",
      dimensions: ["modelName"],
      markup_percent: "20",
    };
    const costed = [{ dimensions: { modelName: "deepMind" }, quantity: "1000", unit_cost_minor: "0.25" }];
    expect(await amounts({ model: markup, cells: costed })).toEqual(["300"]); // 250 and a fifth
  });

  test.each([
    {
      why: "tiers that do not follow one another",
      question: { model: { type: "volume", tiers: [tiers[0]] }, quantities: ["1"] },
      field: "model.tiers[0].up_to",
    },
    {
      why: "two kinds of usage",
      question: { model: graduated, quantities: ["1"], buckets: ["1"] },
      field: "quantities",
    },
    { why: "events for a tiered price", question: { model: graduated, events: ["1"] }, field: "events" },
    {
      why: "a total for a percentage with a fee",
      question: { model: { type: "percentage", percent: "1", fee_per_event_minor: "1" }, quantities: ["1"] },
      field: "events",
    },
    {
      why: "1,001 quantities",
      question: { model: graduated, quantities: Array(1_001).fill("1") },
      field: "quantities",
    },
  ])("refuses $why", async ({ question, field }) => {
    const { status, body } = await ask("price", question);
    expect([status, body.field]).toEqual([422, field]);
  });
});

describe("proration", () => {
  const april = { period_start: "2026-04-01T00:00:00Z", interval: { unit: "month" } };
  const upgrade = {
    ...april,
    amount_minor: "2000",
    changes: [{ at: "2026-04-11T00:00:00Z", amount_minor: "5000" }],
  };
  const linesOf = async (question: object) =>
    (await answerTo("proration", question)).changes.map(({ lines }: { lines: { amount_minor: string }[] }) =>
      lines.map(({ amount_minor }) => amount_minor),
    );

  test.each([
    { over: {}, lines: ["-1333", "3333"], why: "20 of 30 days are left: 2/3 of 20 and of 50" },
    { over: { paid_minor: "1000" }, lines: ["-667", "3333"], why: "half was paid, so half comes back" },
    {
      over: { paid_minor: "1000", policy: { credit_basis: "list" } },
      lines: ["-1333", "3333"],
      why: "at the price",
    },
    {
      over: { policy: { unit: "day", change_day_belongs_to: "old" } },
      lines: ["-1267", "3167"],
      why: "19 of 30 days",
    },
    { over: { policy: { unit: "none" } }, lines: [], why: "whole periods only" },
    { over: { policy: { settle: "none" } }, lines: [], why: "nothing is made" },
  ])("20.00 to 50.00 on day 10 of 30, $over: $why", async ({ over, lines }) => {
    expect(await linesOf({ ...upgrade, ...over })).toEqual([lines]);
  });

  test("says how much of which whole, and the net", async () => {
    const { net_minor, changes } = await answerTo("proration", { ...upgrade, policy: { unit: "day" } });
    expect(net_minor).toBe("2000");
    expect(changes[0].lines[0]).toMatchObject({
      kind: "proration_credit",
      whole_minor: "2000",
      units: "20",
      of_units: "30",
    });
  });

  test("there and back in one instant is nothing", async () => {
    const at = "2026-04-11T12:34:56.789Z";
    const changes = [
      { at, amount_minor: "5000" },
      { at, amount_minor: "2000" },
    ];
    expect((await answerTo("proration", { ...upgrade, changes })).net_minor).toBe("0");
  });

  test("segments of 100.00 in thirds: 33.33, 33.33, 33.34", async () => {
    const changes = ["11", "21"].map((day) => ({ at: `2026-04-${day}T00:00:00Z`, amount_minor: "10000" }));
    const { segments } = await answerTo("proration", { ...april, amount_minor: "10000", changes });
    expect(segments.map(({ amount_minor }: { amount_minor: string }) => amount_minor)).toEqual([
      "3333",
      "3333",
      "3334",
    ]);
  });

  test.each([
    { remainder: "last", amounts: ["3333", "3333", "3334"] },
    { remainder: "largest_remainder", amounts: ["3334", "3333", "3333"] },
  ])("what is left over goes to the $remainder", async ({ remainder, amounts }) => {
    const changes = ["11", "21"].map((day) => ({ at: `2026-04-${day}T00:00:00Z`, amount_minor: "10000" }));
    const question = { ...april, amount_minor: "10000", changes, remainder, included: "1000" };
    const { segments } = await answerTo("proration", question);
    expect(segments.map(({ amount_minor }: { amount_minor: string }) => amount_minor)).toEqual(amounts);
    expect(segments.map((part: { included_quantity: string }) => part.included_quantity)).toEqual([
      "333",
      "334",
      "333",
    ]);
  });

  const yearly = [{ at: "2026-04-11T00:00:00Z", amount_minor: "36500", interval: { unit: "year" } }];
  test("another interval begins a period at once, charged in full", async () => {
    const [change] = (await answerTo("proration", { ...upgrade, changes: yearly })).changes;
    expect([change.period_start, change.period_end]).toEqual([
      "2026-04-11T00:00:00.000Z",
      "2027-04-11T00:00:00.000Z",
    ]);
    expect(
      change.lines.map(({ kind, amount_minor }: Record<string, string>) => `${kind} ${amount_minor}`),
    ).toEqual(["proration_credit -1333", "flat 36500"]);
  });

  test("or keeps the anchor: 355 of 365 days are left", async () => {
    const policy = { interval_change: "keep_and_prorate" };
    const [change] = (await answerTo("proration", { ...upgrade, changes: yearly, policy })).changes;
    expect(change.period_end).toBe("2027-04-01T00:00:00.000Z");
    expect(change.lines.map(({ amount_minor }: Record<string, string>) => amount_minor)).toEqual([
      "-1333",
      "35500",
    ]);
  });

  test("a change after the period's end is refused", async () => {
    const { status, body } = await ask("proration", {
      ...upgrade,
      changes: [{ at: "2026-05-01T00:00:00Z", amount_minor: "1" }],
    });
    expect([status, body.code, body.field]).toEqual([422, "proration_change_invalid", "changes[0].at"]);
  });
});

describe("credit burn-down", () => {
  const day = (number: number) => new Date(Date.UTC(2026, 2, number)).toISOString();
  const grants = [
    { id: "A", kind: "paid", priority: 1, expires_at: day(30), amount_minor: "500" },
    { id: "B", priority: 0, amount_minor: "400" },
    { id: "C", priority: 1, expires_at: day(10), amount_minor: "300" },
  ];
  const question = { grants, usage: [{ at: day(1), amount_minor: "1000" }], at: day(2) };
  const amounts = (rows: { grant: string; amount_minor: string }[]) =>
    rows.map(({ grant, amount_minor }) => `${grant}${Number(amount_minor) / 100}`);

  test.each([
    { burn_order: "priority_first", draws: ["B4", "C3", "A3"], why: "priority, then the sooner to expire" },
    { burn_order: "expiry_first", draws: ["C3", "A5", "B2"], why: "the sooner to expire, never last" },
    { burn_order: "rollover_first", draws: ["B4", "C3", "A3"], why: "nothing went over: priority" },
  ])("10 from A, B, C, $burn_order: $why", async ({ burn_order, draws }) => {
    expect(amounts((await answerTo("credit-burn-down", { ...question, burn_order })).draws)).toEqual(draws);
  });

  test.each([
    { scope: { features: ["models"] }, usage: { feature: "models" }, draws: ["S5"], why: "of its feature" },
    { scope: { features: ["models"] }, usage: { feature: "sso" }, draws: [], why: "of another" },
    { scope: { features: ["models"] }, usage: {}, draws: [], why: "of none" },
    { scope: { features: ["sso"], products: ["usage"] }, usage: {}, draws: ["S5"], why: "of its product" },
  ])("a grant for $scope pays usage $why", async ({ scope, usage, draws }) => {
    const answer = await answerTo("credit-burn-down", {
      grants: [{ id: "S", amount_minor: "500", ...scope }],
      usage: [{ at: day(1), amount_minor: "1000", ...usage }],
      at: day(2),
    });
    expect(amounts(answer.draws)).toEqual(draws);
  });

  test("a refund of 4 goes back the way it came: A3, then C1", async () => {
    const answer = await answerTo("credit-burn-down", { ...question, refund_minor: "400" });
    expect(amounts(answer.restored)).toEqual(["A3", "C1"]);
  });

  test.each([
    {
      earlier_usage: "same_period",
      uncovered: "100",
      why: "of the period that is open, not of the one before",
    },
    { earlier_usage: "none", uncovered: "200", why: "nothing from before" },
    { earlier_usage: "unbilled", uncovered: "0", why: "all from before" },
  ])("a grant of the 20th covers of 1.00 in each of two periods, $earlier_usage: $why", async (row) => {
    const { earlier_usage, uncovered } = row;
    const answer = await answerTo("credit-burn-down", {
      grants: [{ id: "G", amount_minor: "500", effective_at: day(20) }],
      usage: [
        { at: day(5), amount_minor: "100" },
        { at: day(15), amount_minor: "100" },
      ],
      resets: [day(10)],
      at: day(21),
      earlier_usage,
    });
    expect(answer.uncovered_minor).toBe(uncovered);
  });

  test("the order in which grants are written does not matter", async () => {
    const asked = await answerTo("credit-burn-down", question);
    expect(await answerTo("credit-burn-down", { ...question, grants: grants.toReversed() })).toEqual(asked);
  });

  test.each([
    { before: "7000", min_minor: "0", max_minor: "5000", after: "5000", why: "min(50, max(70, 0))" },
    { before: "500", min_minor: "2000", max_minor: "5000", after: "2000", why: "min(50, max(5, 20))" },
  ])("a reset of $before leaves $after: $why", async ({ before, after, why: _why, ...rollover }) => {
    const grant = { id: "G", amount_minor: before, rollover };
    const answer = await answerTo("credit-burn-down", {
      grants: [grant],
      usage: [],
      resets: [day(5)],
      at: day(6),
    });
    expect(answer.balance_minor).toBe(after);
  });

  test("a recurring grant, month by month, and what nothing paid", async () => {
    const monthly = {
      id: "M",
      amount_minor: "100",
      effective_at: day(1),
      recurrence: { interval: { unit: "month" } },
    };
    const usage = [
      { at: day(2), amount_minor: "150" },
      { at: "2026-04-02T00:00:00Z", amount_minor: "30" },
    ];
    const answer = await answerTo("credit-burn-down", {
      grants: [monthly],
      usage,
      at: "2026-04-03T00:00:00Z",
    });
    expect(answer).toMatchObject({
      balance_minor: "70",
      uncovered_minor: "50",
      uncovered: [{ usage: 0, amount_minor: "50" }],
    });
    expect(
      answer.grants.map(({ id, remaining_minor }: Record<string, string>) => [id, remaining_minor]),
    ).toEqual([
      ["M/0", "0"],
      ["M/1", "70"],
    ]);
  });

  test("a daily grant of a lifetime is too much to ask", async () => {
    const daily = {
      id: "D",
      amount_minor: "1",
      effective_at: day(1),
      recurrence: { interval: { unit: "day" } },
    };
    const { status, body } = await ask("credit-burn-down", {
      grants: [daily],
      usage: [],
      at: "2099-01-01T00:00:00Z",
    });
    expect([status, body.code, body.field]).toEqual([422, "calculation_too_large", "grants[0].recurrence"]);
  });
});

describe("invoice total", () => {
  const as_of = "2026-04-01T00:00:00Z";
  const tokens = (cents: string) => ({ key: "tokens", kind: "usage", exact_minor: cents });
  const fee = (cents: string) => ({ key: "fee", kind: "fee", exact_minor: cents });
  const total = (question: object) => answerTo("invoice-total", { as_of, ...question });

  test.each([
    { list: "13000", total_minor: "14500", why: "100, and the 30 beyond it at one and a half" },
    { list: "8000", total_minor: "10000", why: "80, and 20 to make it up" },
  ])("a commitment of 100.00 and list $list come to $total_minor: $why", async ({ list, total_minor }) => {
    const commitment = {
      type: "commitment",
      name: "Commitment",
      amount_minor: "10000",
      overage_factor: "1.5",
    };
    expect(await total({ lines: [tokens(list)], adjustments: [commitment] })).toMatchObject({ total_minor });
  });

  const half = { type: "percent_discount", name: "Half", percent: "50" };
  const cap = { type: "maximum", name: "Cap", amount_minor: "6000" };
  test.each([
    { adjustments: [half, cap], total_minor: "5000", why: "half of 100 is below the cap" },
    { adjustments: [cap, half], total_minor: "3000", why: "capped at 60, and half of that" },
  ])("$adjustments.0.name first: $total_minor, for $why", async ({ adjustments, total_minor }) => {
    expect(await total({ lines: [tokens("10000")], adjustments })).toMatchObject({ total_minor });
  });

  const thirds = ["a", "b", "c"].map((key) => ({ key, exact_minor: "100.4" }));
  test.each([
    { rounding: "line", amounts: ["100", "100", "100"], total_minor: "300", why: "0.4 is lost three times" },
    { rounding: "net", amounts: ["101", "100", "100"], total_minor: "301", why: "301.2 is 301" },
  ])("rounding by $rounding: $total_minor, for $why", async ({ rounding, amounts, total_minor }) => {
    const answer = await total({ lines: thirds, rounding });
    expect([
      answer.total_minor,
      answer.lines.map((line: { amount_minor: string }) => line.amount_minor),
    ]).toEqual([total_minor, amounts]);
  });

  const credited = {
    lines: [fee("2000"), tokens("1000")],
    tax_lines: [{ name: "VAT 19 %", amount_minor: "570" }],
    grants: [{ id: "G", amount_minor: "1300" }],
  };
  test.each([
    {
      tax: "after_credits",
      credits: "1000",
      total_minor: "2570",
      why: "credit pays usage: 30.00 - 10.00 + 5.70",
    },
    { tax: "before_credits", credits: "1300", total_minor: "2270", why: "and 3.00 of the tax" },
  ])("tax $tax: $why", async ({ tax, credits, total_minor }) => {
    expect(await total({ ...credited, tax })).toMatchObject({
      subtotal_minor: "3000",
      credits_applied_minor: credits,
      tax_minor: "570",
      tax_lines: credited.tax_lines,
      total_minor,
    });
  });

  test("the balance pays last, and what is left over stays on it", async () => {
    const answer = await total({ ...credited, balance_minor: "10000" });
    expect(answer).toMatchObject({ balance_applied_minor: "2570", total_minor: "0" });
  });

  test("what is too small for a card is carried forward, unless it is to be charged", async () => {
    expect(await total({ lines: [tokens("20")] })).toMatchObject({ total_minor: "0" });
    expect(await total({ lines: [tokens("20")], small_amounts: "charged" })).toMatchObject({
      total_minor: "20",
    });
  });

  test.each([
    { refund: "stays_paid", paid_minor: "1000", refunded_minor: "400", due: "0", status: "paid" },
    { refund: "reopens", paid_minor: "1000", refunded_minor: "400", due: "400", status: "open" },
    { refund: "stays_paid", paid_minor: "600", refunded_minor: "600", due: "400", status: "open" },
    { refund: "reopens", paid_minor: "600", refunded_minor: "600", due: "1000", status: "open" },
  ])("of 10.00, $paid_minor paid and $refunded_minor refunded, which $refund: $due due", async (row) => {
    const { due, status, ...payment } = row;
    expect(await total({ lines: [fee("1000")], ...payment })).toMatchObject({
      ...{ total_minor: "1000", due_minor: due, status },
    });
  });

  test("more than was paid cannot be refunded", async () => {
    const question = { as_of, lines: [fee("1000")], paid_minor: "1", refunded_minor: "2" };
    const { status, body } = await ask("invoice-total", question);
    expect([status, body.code, body.field]).toEqual([422, "invoice_line_invalid", "refunded_minor"]);
  });

  test("credit for one line pays no other", async () => {
    const grants = [{ id: "G", amount_minor: "5000", lines: ["tokens"] }];
    const lines = [tokens("1000"), { key: "images", kind: "usage", exact_minor: "700" }];
    const answer = await total({ lines, grants });
    expect(answer).toMatchObject({
      total_minor: "700",
      draws: [{ line: 0, grant: "G", amount_minor: "1000" }],
    });
  });

  test.each([
    { why: "two lines of one key", question: { lines: [fee("1"), fee("1")] }, field: "lines[1].key" },
    {
      why: "an adjustment of a line that is not there",
      question: { lines: [fee("1")], adjustments: [{ ...half, lines: ["fees"] }] },
      field: "adjustments[0].lines[0]",
    },
    {
      why: "101 lines",
      question: { lines: Array.from({ length: 101 }, (_, index) => ({ ...fee("1"), key: `${index}` })) },
      field: "lines",
    },
  ])("refuses $why", async ({ question, field }) => {
    const { status, body } = await ask("invoice-total", { as_of, ...question });
    expect([status, body.field]).toEqual([422, field]);
  });
});
