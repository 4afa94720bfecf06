import { and, eq } from "drizzle-orm";
import type { AlertCondition, AlertSubject } from "../../domain/alerts/index.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import { storedDecimal } from "../../domain/money/index.ts";
import type { NoticeData, NoticeSubjects } from "../../domain/notices/index.ts";
import type { Tx } from "../database.ts";
import { alert, alertCrossing, topUpRule, topUpRuleEnd } from "../schema/budgets.ts";

type Crossing = NoticeSubjects["budget.share_reached"];

/** What notices of alerts and of credit that is bought by itself say: read from the rows of the fact. */

export async function budgetData(tx: Tx, crossing: Crossing): Promise<NoticeData["budget.limit_reached"]> {
  return (await crossed(tx, crossing)).data;
}

export async function shareData(tx: Tx, crossing: Crossing): Promise<NoticeData["budget.share_reached"]> {
  const { data, condition } = await crossed(tx, crossing);
  invariant(condition.type === "share", "a share was reached by an alert at one");
  return { ...data, percent: condition.percent };
}

export async function forecastData(
  tx: Tx,
  crossing: Crossing,
): Promise<NoticeData["budget.overrun_forecast"]> {
  const { data, forecast } = await crossed(tx, crossing);
  invariant(forecast !== null, "an overrun was forecast");
  return { ...data, forecast: storedDecimal(forecast).text };
}

interface CrossedData {
  readonly data: NoticeData["budget.limit_reached"];
  readonly condition: AlertCondition;
  readonly forecast: string | null;
}

async function crossed(tx: Tx, { alertId, number }: Crossing): Promise<CrossedData> {
  const [row] = await tx
    .select({ crossing: alertCrossing, subject: alert.subject, condition: alert.condition })
    .from(alertCrossing)
    .innerJoin(alert, eq(alert.id, alertCrossing.alertId))
    .where(and(eq(alertCrossing.alertId, alertId), eq(alertCrossing.number, number)));
  invariant(row, "a crossing was written with its notice");
  const { used, allowed, forecast, windowStart } = row.crossing;
  return {
    data: {
      alert_id: alertId,
      about: row.subject.type,
      name: nameOf(row.subject),
      used: storedDecimal(used).text,
      allowed: storedDecimal(allowed).text,
      window_start: windowStart === null ? null : isoOf(windowStart),
    },
    condition: row.condition,
    forecast,
  };
}

function nameOf(subject: AlertSubject): string | null {
  if (subject.type === "feature") return subject.feature;
  return subject.type === "spending_cap" ? subject.cap : null;
}

export async function stoppedData(tx: Tx, ruleId: string): Promise<NoticeData["top_up.stopped"]> {
  const [row] = await tx
    .select({ rule: topUpRule, end: topUpRuleEnd })
    .from(topUpRule)
    .innerJoin(topUpRuleEnd, eq(topUpRuleEnd.ruleId, topUpRule.id))
    .where(eq(topUpRule.id, ruleId));
  invariant(row, "a rule was ended with its notice");
  const { cause, detail } = row.end;
  invariant(cause === "declined" || cause === "refused", "it stopped by itself");
  const { currency, amountMinor } = row.rule;
  return { rule_id: ruleId, currency, amount_minor: amountMinor.toString(), cause, code: detail ?? cause };
}

export async function limitData(
  tx: Tx,
  ruleId: string,
  monthStart: string,
): Promise<NoticeData["top_up.limit_reached"]> {
  const [rule] = await tx.select().from(topUpRule).where(eq(topUpRule.id, ruleId));
  invariant(rule?.monthlyLimitMinor != null, "what is reached is a limit that was set");
  const { currency, monthlyLimitMinor } = rule;
  const limit = { currency, monthly_limit_minor: monthlyLimitMinor.toString() };
  return { rule_id: ruleId, ...limit, month_start: monthStart };
}
