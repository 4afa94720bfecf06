import { type Instant, instantOfEpochMs } from "../calendar/index.ts";
import { type Decimal, decimal } from "../money/index.ts";
import type { Alert, AlertCondition, AlertTurn, BudgetReading, OpenCrossing } from "./alert.ts";

/** Before so much of a window has passed nothing is forecast: one early request would seem to overrun it. */
export const forecastAfterPercent = 10;

const hundred = decimal("100");

/**
 * What an alert has to say now. A limit that is crossed is told once; it is armed again when it is below, or when its window has
 * begun anew, and then may be told again.
 * @param open at most one of a key
 */
export function turnOf(
  condition: AlertCondition,
  readings: readonly BudgetReading[],
  open: readonly OpenCrossing[],
  now: Instant,
): AlertTurn {
  const recovered: AlertTurn["recovered"][number][] = [];
  const crossed: AlertTurn["crossed"][number][] = [];
  for (const { number, key } of open) {
    // What it was about is there no more: its limit was taken away.
    if (!readings.some((reading) => reading.key === key)) recovered.push({ number, cause: "reset" });
  }
  for (const reading of readings) {
    const forecast = condition.type === "forecast" ? forecastOf(reading, now) : null;
    const isOver = isCrossed(condition, reading, forecast);
    const before = open.find(({ key }) => key === reading.key);
    const isReset = before !== undefined && before.windowStart !== reading.windowStart;
    if (before !== undefined && (isReset || !isOver)) {
      recovered.push({ number: before.number, cause: isReset ? "reset" : "recovered" });
    }
    if (isOver && (before === undefined || isReset)) crossed.push({ ...reading, forecast });
  }
  return { recovered, crossed };
}

/** Of what allows nothing, nothing is a share: any use of it crosses. */
function isCrossed(condition: AlertCondition, reading: BudgetReading, forecast: Decimal | null): boolean {
  const { used, allowed } = reading;
  if (condition.type === "forecast") return forecast !== null && allowed.isLessThan(forecast);
  if (allowed.isZero()) return !used.isZero();
  return !used.times(hundred).isLessThan(allowed.times(decimal(String(condition.percent))));
}

/**
 * What a window comes to at its end, if usage goes on as since its beginning; rounded up to a millionth. Null where it has no fixed
 * ends, or too little of it has passed.
 */
export function forecastOf({ windowStart, windowEnd, used }: BudgetReading, now: Instant): Decimal | null {
  if (windowStart === null || windowEnd === null || now <= windowStart) return null;
  const [passed, whole] = [now - windowStart, windowEnd - windowStart];
  if (passed * 100 < whole * forecastAfterPercent) return null;
  return used.times(decimal(String(whole))).dividedBy(decimal(String(Math.min(passed, whole))), 6, "up");
}

const minuteMs = 60_000;

/** When a crossing may be over though nothing has been used: by time alone. Null where only something else can end it. */
export function lookAgainAt(
  { condition, subject }: Alert,
  reading: BudgetReading,
  now: Instant,
): Instant | null {
  const { windowStart, windowEnd } = reading;
  if (subject.type === "credit") return null;
  // A window that rolls lets go of something in each minute.
  if (windowStart === null) return instantOfEpochMs(now + minuteMs);
  if (condition.type === "share" || windowEnd === null) return windowEnd;
  // A forecast falls all the time; what less than a hundredth of the window does to it nobody waits for.
  const step = Math.max(minuteMs, Math.floor((windowEnd - windowStart) / 100));
  return instantOfEpochMs(Math.min(windowEnd, now + step));
}
