import type { Instant } from "../calendar/index.ts";
import type { LimitWindow } from "../catalog/index.ts";
import type { Decimal } from "../money/index.ts";

/** What somebody wants to be told about. */
export type AlertSubject =
  /** The limits of a metered feature, or of a money budget. `subject`: whose usage, where a limit is for each of somebody. */
  | {
      readonly type: "feature";
      readonly feature: string;
      readonly subject: Readonly<Record<string, string>>;
    }
  /** What may be spent by reserved requests. */
  | { readonly type: "spending_cap"; readonly cap: string }
  /** What is left of all credit, after usage that is not billed yet. */
  | { readonly type: "credit" }
  /** A budget that limits nothing: what usage costs in a window, against an amount. */
  | { readonly type: "spending"; readonly amountMinor: string; readonly window: LimitWindow };

export type AlertCondition =
  /** So much of it is used, in percent. */
  | { readonly type: "share"; readonly percent: number }
  /** It will be overrun before its window ends, if usage goes on as since its beginning. */
  | { readonly type: "forecast" };

export interface Alert {
  readonly id: string;
  readonly subject: AlertSubject;
  readonly condition: AlertCondition;
}

/** One limit of a subject, as it stands. */
export interface BudgetReading {
  /** Tells the limits of a subject apart; the same from one window to the next. */
  readonly key: string;
  /** When the window began that is open, and ends; null where it has no fixed ends. */
  readonly windowStart: Instant | null;
  readonly windowEnd: Instant | null;
  readonly used: Decimal;
  readonly allowed: Decimal;
}

/** A crossing that was told, and from which nothing has recovered yet. */
export interface OpenCrossing {
  readonly number: number;
  readonly key: string;
  readonly windowStart: Instant | null;
}

/** What follows from one look at an alert. */
export interface AlertTurn {
  readonly recovered: readonly { readonly number: number; readonly cause: "recovered" | "reset" }[];
  readonly crossed: readonly (BudgetReading & { readonly forecast: Decimal | null })[];
}
