import { describe, expect, test } from "vitest";
import {
  every,
  waitingAdjustment,
  waitingCorrection,
  waitingCreditNote,
  waitingRecurring,
} from "../../src/console/approvals/waiting-request.ts";
import { FieldFault, faultAt, isSaidAt } from "../../src/console/commands/field-fault.ts";
import { isVoided, standingData } from "../../src/console/corrections/standing-data.ts";
import { dayStart } from "../../src/console/format/day-start.ts";
import { minorOf, typedAmount } from "../../src/console/format/minor-amount.ts";
import { positiveMinorOf } from "../../src/console/parts/amount-input.tsx";
import { ReckonerApiError } from "../../src/sdk/index.ts";
import * as waiting from "./support/waiting-records.ts";

describe("an amount as it is typed", () => {
  test.each([
    ["12.50", "usd", "1250"],
    ["12.5", "usd", "1250"],
    [" 12 ", "usd", "1200"],
    ["1,234,567.89", "usd", "123456789"],
    ["0.05", "usd", "5"],
    ["0", "usd", "0"],
    ["-0.00", "usd", "0"],
    ["−12.50", "usd", "-1250"],
    ["1250", "jpy", "1250"],
    ["1.25", "kwd", "1250"],
    ["900719925474099.33", "usd", "90071992547409933"], // above what a float holds
  ])("%s in %s is %s", (typed, currency, minor) => expect(minorOf(typed, currency)).toBe(minor));

  test.each([
    ["12.505", "usd"],
    ["12.5", "jpy"],
    ["1,25", "usd"],
    ["12,50", "usd"],
    ["12.", "usd"],
    ["1e3", "usd"],
    ["", "usd"],
    ["$5", "usd"],
  ])("%s in %s is no amount", (typed, currency) => expect(minorOf(typed, currency)).toBeNull());

  test.each(["0", "5", "1250", "-1250"])("%s is typed and read back", (minor) => {
    for (const currency of ["usd", "jpy", "kwd"]) {
      expect(minorOf(typedAmount(minor, currency), currency)).toBe(minor);
    }
  });

  test("what is no amount above zero is the field's fault", () => {
    for (const typed of ["", "0", "-1", "x"]) {
      expect(() => positiveMinorOf(typed, "usd", "amount_minor")).toThrow(FieldFault);
    }
  });
});

test.each([
  ["2026-03-01", "UTC", "2026-03-01T00:00:00.000Z"],
  ["2026-03-01", "Europe/Berlin", "2026-02-28T23:00:00.000Z"],
  ["2026-07-01", "America/New_York", "2026-07-01T04:00:00.000Z"],
  // The clock moves in that night, an hour after the day begins, or two.
  ["2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00.000Z"],
  ["2026-03-30", "Europe/Berlin", "2026-03-29T22:00:00.000Z"],
  ["2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00.000Z"],
  ["2026-01-01", "Pacific/Kiritimati", "2025-12-31T10:00:00.000Z"],
])("%s begins in %s at %s", (day, timeZone, at) => expect(dayStart(day, timeZone)).toBe(at));

describe("what is wrong is said at its field", () => {
  const refusal = (problem: ConstructorParameters<typeof ReckonerApiError>[1]) =>
    new ReckonerApiError(422, problem);

  test.each([
    [new FieldFault("amount_minor", "enter an amount"), "amount_minor", "Enter an amount."],
    [refusal({ field: "expires_at", detail: "must be later" }), "expires_at", "Must be later."],
    [
      refusal({
        field: "a",
        detail: "x",
        faults: [
          { field: "a", detail: "x" },
          { field: "b", detail: "y" },
        ],
      }),
      "b",
      "Y.",
    ],
    [refusal({ field: "amount_minor", detail: "x" }), "reason", undefined],
    [refusal({ detail: "the invoice is void" }), "reason", undefined],
    [null, "reason", undefined],
  ])("%s, at %s: %s", (error, field, said) => expect(faultAt(error, field)).toBe(said));

  test("and below the form where it has no such field, or is about none", () => {
    const fault = refusal({ field: "lines", detail: "x" });
    expect([isSaidAt(fault, ["lines"]), isSaidAt(fault, ["reason"])]).toEqual([true, false]);
    expect(isSaidAt(refusal({ detail: "x" }), ["lines"])).toBe(false);
  });
});

describe("what waits, in words", () => {
  test.each([
    [waitingAdjustment(waiting.waitingAdjustment), "Debit the balance by $700.00"],
    [waitingRecurring(waiting.waitingRecurring), "Grant $100.00 every 2 weeks"],
    [waitingCreditNote(waiting.waitingCreditNote), "Credit $600.00 of an invoice"],
    [waitingCorrection(waiting.waitingCorrection), "Amend 1 usage event"],
    [
      waitingCorrection({ ...waiting.waitingCorrection, kind: "void", backfill: "ubf_1", event_count: 1200 }),
      "Revert a backfill of 1,200 usage events",
    ],
  ])("$kind: %#", (request, what) => expect(request.what).toBe(what));

  test.each([
    [waitingAdjustment(waiting.waitingAdjustment), "$700.00 is above the limit of $500.00"],
    [waitingRecurring(waiting.waitingRecurring), "It has no end"],
    [waitingCorrection(waiting.waitingCorrection), "It changes what was billed"],
    [
      waitingAdjustment({
        ...waiting.waitingAdjustment,
        approval: { limit_minor: null, counted_minor: "1", needed: true },
      }),
      "Everything in USD needs a second key",
    ],
    [
      waitingCorrection({
        ...waiting.waitingCorrection,
        approval: { limit: 100, counted: 130, changes_billed: false, needed: true },
      }),
      "130 events within a day; the limit is 100",
    ],
  ])("and why it does: %#", (request, why) => expect(request.why).toBe(why));

  test.each([
    [{ unit: "month", count: 1 }, "every month"],
    [{ unit: "year", count: 2 }, "every 2 years"],
  ] as const)("%o is %s", (interval, text) => expect(every(interval)).toBe(text));
});

describe("what an event says now", () => {
  const correction = { reason_code: "other", note: null, requested_by: "", effective_at: "" } as const;
  const amended = (tokens: number) =>
    ({ ...correction, correction: `c${tokens}`, kind: "amend", data: { tokens } }) as const;

  test.each([
    { corrections: [], says: { tokens: 1 }, why: "as it came" },
    { corrections: [amended(2), amended(3)], says: { tokens: 3 }, why: "as it was last amended" },
  ])("$why", ({ corrections, says }) =>
    expect(standingData({ data: { tokens: 1 }, corrections })).toEqual(says),
  );

  test("a void is final", () => {
    const voided = { ...correction, correction: "v", kind: "void" } as const;
    expect([
      isVoided({ corrections: [amended(2)] }),
      isVoided({ corrections: [amended(2), voided] }),
    ]).toEqual([false, true]);
  });
});
