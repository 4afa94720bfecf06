import { expect, test } from "vitest";
import { instant, isoOf } from "../../../src/domain/calendar/index.ts";
import {
  accountingMonth,
  firstDayOf,
  monthOf,
  periodOfMonth,
} from "../../../src/domain/ledger/accounting-month.ts";

test.each([
  { month: "2026-01", start: "2026-01-01", end: "2026-02-01", why: "31 days" },
  { month: "2028-02", start: "2028-02-01", end: "2028-03-01", why: "a leap year" },
  { month: "2026-12", start: "2026-12-01", end: "2027-01-01", why: "the year ends with it" },
  { month: "0001-01", start: "0001-01-01", end: "0001-02-01", why: "the first there is" },
  { month: "9998-12", start: "9998-12-01", end: "9999-01-01", why: "the last there is" },
])("$month is from $start to $end: $why", ({ month, start, end }) => {
  const period = periodOfMonth(accountingMonth(month));
  expect([isoOf(period.start), isoOf(period.end)]).toEqual([
    `${start}T00:00:00.000Z`,
    `${end}T00:00:00.000Z`,
  ]);
  expect(firstDayOf(accountingMonth(month))).toBe(start);
});

test("an instant lies in the month of its UTC date", () => {
  expect(monthOf(instant("2026-01-31T23:59:59.999Z"))).toBe("2026-01");
  expect(monthOf(instant("2026-02-01T00:30:00+01:00"))).toBe("2026-01");
  expect(monthOf(instant("2026-02-01T00:00:00Z"))).toBe("2026-02");
});

test.each([
  "2026-13",
  "2026-00",
  "2026-1",
  "26-01",
  "2026-01-01",
  "0000-01",
  "9999-12",
  "",
  "2026-01 ",
  "-2026-01",
])("%j is no month", (text) => {
  expect(() => accountingMonth(text, "month")).toThrow(
    expect.objectContaining({ code: "accounting_month_invalid", field: "month" }),
  );
});
