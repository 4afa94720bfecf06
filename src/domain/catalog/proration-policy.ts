/**
 * How a part of a period is charged.
 *
 * unit: what a part is measured in. "second" is elapsed time, exact to the millisecond; "day" is civil days of the
 * customer's time zone, whatever their hours; "fixed_30" is civil days of months that all count thirty; "30_360" reckons
 * every month, its days too, as thirty; "none" charges whole periods only.
 *
 * changeDayBelongsTo: who pays for the day of a change; without effect where the unit is "second".
 *
 * creditBasis: a credit for time that is left is a share of what was charged for it after discounts ("paid"), or of the
 * price ("list").
 *
 * settle: the lines of a change go on an invoice of their own ("now"), on that of the period ("next_invoice"), or are not
 * made ("none").
 *
 * intervalChange: another interval begins a new period at once, charged in full, or keeps the anchor and is charged for
 * what is left until its next boundary.
 */
export type ProrationPolicy = {
  readonly unit: ProrationUnit;
  readonly changeDayBelongsTo: "old" | "new";
  readonly creditBasis: "list" | "paid";
  readonly settle: Settlement;
  readonly intervalChange: "reset_and_charge" | "keep_and_prorate";
};

export const prorationUnits = ["second", "day", "fixed_30", "30_360", "none"] as const;
export type ProrationUnit = (typeof prorationUnits)[number];

export const settlements = ["now", "next_invoice", "none"] as const;
export type Settlement = (typeof settlements)[number];

/** What holds for a plan that says nothing, and for the fields that a policy leaves out. */
export const defaultProration: ProrationPolicy = {
  unit: "second",
  changeDayBelongsTo: "new",
  creditBasis: "paid",
  settle: "now",
  intervalChange: "reset_and_charge",
};
