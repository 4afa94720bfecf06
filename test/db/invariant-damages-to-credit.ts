import type { Damage } from "./invariant-damages.ts";

/** A recurring grant of acme with what the test says; agreed to by itself unless it has no end. */
const recurring = (id: string, terms = "next_at => null, total => 1") => {
  const of = Object.fromEntries(terms.split(", ").map((term) => term.split(" => ")));
  return `
    insert into billing.recurring_grant (id, customer_id, currency, amount_minor, priority, anchor_at, interval_unit, interval_count,
      time_zone, effective_at, expires_at, first, total_minor, reason_code, requested_by, requested_at, recorded_at,
      approval_limit_minor, unapproved_before, needs_approval, next_at)
    values ('${id}', 'acme', 'usd', 1, 50, '2026-01-01Z', 'month', 1, 'UTC', '2026-01-01Z',
      ${of.total === "null" ? "null" : "'2026-06-01Z'"}, 'at_once', ${of.total}, 'contract', 'api-key/eve', '2026-01-01Z',
      ${of.recorded ?? "now()"}, 100, 0, ${of.total === "null"}, ${of.next_at})`;
};

const grantOf = (id: string, columns: string, values: string) => `
  insert into billing.credit_grant (id, customer_id, kind, currency, amount_minor, priority, effective_at, created_at, ${columns})
  values ('${id}', 'acme', 'promotional', 'usd', 1, 50, '2026-01-01Z', '2026-01-01Z', ${values})`;

/** The same for credit that recurs, ends, is drawn and goes back. */
export const damagesToCredit: readonly Damage[] = [
  {
    what: "more that went back than was drawn",
    broken: "V3",
    rule: "no more of a draw goes back",
    sql: "update billing.credit_return set amount = amount + 1000000000000",
  },
  {
    what: "an end that was not booked",
    broken: "V4",
    rule: "held when it ended is booked",
    sql: `insert into billing.credit_grant_end (grant_id, cause, held, ended_at, settled_at)
      values ('prepaid', 'expired', 1, '2026-02-01Z', '2026-02-01Z')`,
  },
  {
    what: "credit spent on what it is not for",
    broken: "V4",
    rule: "for what they are for",
    sql: `update billing.credit_grant set scope = '[{"type": "product", "product": "other"}]' where id = 'prepaid'`,
  },
  {
    what: "a time of a recurring grant that nobody agreed to",
    broken: "V4",
    rule: "what is given again and again",
    sql: `${recurring("endless", "next_at => null, total => null")};
      ${grantOf("endless.0", "recurring_grant_id, occurrence", "'endless', 0")}`,
  },
  {
    what: "a time of a recurring grant of another amount",
    broken: "V4",
    rule: "what is given again and again",
    sql: `${recurring("small")};
      ${grantOf("small.0", "recurring_grant_id, occurrence", "'small', 0")};
      update billing.credit_grant set amount_minor = 2 where id = 'small.0'`,
  },
  {
    what: "something that went over from what has not ended",
    broken: "V4",
    rule: "what goes over",
    sql: `${recurring("rolling")};
      ${grantOf("rolling.1.rollover", "recurring_grant_id, occurrence, rolled_over_from", "'rolling', 1, 'promo'")}`,
  },
  {
    what: "a recurring grant that its requester agreed to",
    broken: "V10",
    rule: "has not agreed to it",
    sql: `${recurring("own", "next_at => null, total => null")};
      insert into billing.recurring_grant_decision (recurring_grant_id, outcome, decided_by, decided_at)
      values ('own', 'approved', 'api-key/eve', '2026-01-01Z')`,
  },
  {
    what: "a time that has come and was not given",
    broken: "V12",
    rule: "is given in time",
    sql: recurring("due", "next_at => '2026-02-01Z', total => 1"),
  },
  {
    what: "a recurring grant that nobody decides about",
    broken: "V12",
    rule: "waits for ever",
    sql: recurring("waits", "next_at => null, total => null, recorded => '2020-01-01Z'"),
  },
  {
    what: "a grant that has run out of time and goes on",
    broken: "V12",
    rule: "run out of time ends",
    sql: "update billing.credit_grant set expires_at = '2026-02-15Z' where id = 'prepaid'",
  },
];
