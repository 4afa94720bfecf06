import { describe, expect, test } from "vitest";
import {
  type AnchorRule,
  agreedPeriodAt,
  anchorAfterTrial,
  anchorFor,
  type BillingInterval,
  boundary,
  changedAnchor,
  instant,
  type Period,
  periodContaining,
} from "../../../src/domain/calendar/index.ts";
import { advanceLines } from "../../../src/domain/invoicing/index.ts";
import { centsOf, tableRows } from "../../support/markdown-tables.ts";
import { pro } from "../invoicing/plans.ts";

/** Every example of docs/periods.md, run. */

function intervalOf(text = ""): BillingInterval {
  const [count, unit] = text.split(" ");
  return { unit: unit as BillingInterval["unit"], count: Number(count) };
}

/** "calendar, month 2, day 15" */
function ruleOf(text = ""): AnchorRule {
  const [type, ...fields] = text.split(", ");
  if (type === "anniversary") return { type };
  const named = fields.map((field) => field.split(" ")).map(([name = "", value]) => [name, Number(value)]);
  return { type: "calendar", ...Object.fromEntries(named) };
}

const midnight = (date = "") => instant(`${date}T00:00:00Z`);
const dateIn = (at: number, timeZone: string) =>
  new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" }).format(at);
const shown = ({ start, end }: Period) => `${dateIn(start, "UTC")} to ${dateIn(end, "UTC")}`;

const boundaryRows = tableRows("periods.md", [
  "interval",
  "anchor",
  "subscribed at",
  "time zone",
  "boundaries from then on",
]);

describe("boundaries", () => {
  test.each(boundaryRows)("%s, %s, from %s in %s: %s", (interval, rule, at, timeZone, boundaries = "") => {
    const start = instant(at ?? "");
    const of = anchorFor(ruleOf(rule), { start, interval: intervalOf(interval), timeZone: timeZone ?? "" });
    const { index, period } = periodContaining(of, start);
    const first = period.start === start ? index : index + 1;
    const dates = boundaries.split(", ");
    expect(dates.map((_, offset) => dateIn(boundary(of, first + offset), of.timeZone))).toEqual(dates);
  });

  test("there are examples", () => expect(boundaryRows.length).toBeGreaterThan(8));
});

describe("the first charge", () => {
  test.each(tableRows("periods.md", ["price", "interval", "anchor", "subscribed at", "first charge"]))(
    "%s for %s, %s, from %s: %s",
    (price = "", interval, rule, at = "", charge = "") => {
      const [base] = pro.prices;
      if (base?.type !== "flat") throw new Error("the fixture has a base fee");
      const prices = [{ ...base, amountMinor: String(centsOf(price)) }];
      const plan = { ...pro, prices, interval: intervalOf(interval), anchor: ruleOf(rule) };
      const effectiveAt = instant(at);
      const anchor = anchorFor(plan.anchor, {
        start: effectiveAt,
        interval: plan.interval,
        timeZone: "UTC",
      });
      const { period, full } = agreedPeriodAt([{ effectiveAt, anchor }], effectiveAt);
      const terms = { effectiveAt, items: [{ plan, seats: 1 }], paused: false };
      const lines = advanceLines(terms, period, { full, timeZone: "UTC" });
      expect(lines.map(({ amount }) => amount.amountMinor)).toEqual([centsOf(charge)]);
    },
  );
});

describe("after a trial", () => {
  test.each(tableRows("periods.md", ["trial from", "until", "anchor", "first period that is paid"]))(
    "from %s until %s, %s: %s",
    (from, until, choice, period) => {
      const trial = { start: midnight(from), end: midnight(until) };
      const agreed = anchorAfterTrial(trial, choice as "trial_end", {
        rule: undefined,
        interval: intervalOf("1 month"),
        timeZone: "UTC",
      });
      expect(shown(agreedPeriodAt([agreed], trial.end).period)).toBe(period);
    },
  );
});

describe("another anchor", () => {
  const header = [
    "interval",
    "then",
    "anchor at",
    "change at",
    "choice",
    "period that begins with the change",
  ];
  test.each(tableRows("periods.md", header))("%s, then %s, from %s, at %s, %s: %s", (...cells) => {
    const [interval, then, anchoredAt, changedAt, choice, period] = cells;
    const current = { at: midnight(anchoredAt), interval: intervalOf(interval), timeZone: "UTC" };
    const at = midnight(changedAt);
    const terms = { rule: undefined, interval: intervalOf(then), timeZone: "UTC" };
    const agreed = changedAnchor(current, terms, at, choice as "keep");
    const history = [{ effectiveAt: current.at, anchor: current }, agreed];
    expect(shown(agreedPeriodAt(history, at).period)).toBe(period);
  });
});
