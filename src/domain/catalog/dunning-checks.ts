import {
  type AttemptSchedule,
  accessLevels,
  type DunningTerms,
  delayMs,
  minuteOf,
  type NamedDunningPolicy,
} from "../lifecycle/index.ts";
import { type CatalogIssue, duplicateKeys } from "./catalog-issue.ts";

const dayMs = 86_400_000;

/** Policies have different keys, and each goes together. */
export function dunningPolicyIssues(policies: readonly NamedDunningPolicy[], path: string): CatalogIssue[] {
  return [
    ...duplicateKeys(policies, path),
    ...policies.flatMap((policy, index) => dunningIssues(policy, `${path}[${index}]`)),
  ];
}

/** A plan's policy is one that there is. */
export function chosenPolicyIssues(
  { policy }: DunningTerms,
  policies: readonly NamedDunningPolicy[],
  path: string,
): CatalogIssue[] {
  if (policy === undefined || policies.some(({ key }) => key === policy)) return [];
  const message = `there is no dunning policy "${policy}": declare it under dunning_policies`;
  return [{ path: `${path}.policy`, message }];
}

/** What the parts of a policy owe to each other; an empty list when all is kept. */
export function dunningIssues(terms: DunningTerms, path: string): CatalogIssue[] {
  const { retryAfterDays, schedule, declines = {}, quietHours, authentication, access = [] } = terms;
  return [
    ...ascending(retryAfterDays, `${path}.retryAfterDays`, "retry"),
    ...(schedule === undefined ? [] : scheduleIssues(schedule, `${path}.schedule`)),
    ...Object.entries(declines).flatMap(([kind, rule]) =>
      typeof rule === "object" ? scheduleIssues(rule, `${path}.declines.${kind}`) : [],
    ),
    ...giveUpIssues(terms, path),
    ...(quietHours !== undefined && quietHours.from === quietHours.to
      ? [
          {
            path: `${path}.quietHours.to`,
            message: "must differ from the hour at which it begins to be quiet",
          },
        ]
      : []),
    ...quietAtTheHour(terms, path),
    ...timeOfDayIssues(terms, path),
    ...(authentication?.remindAfterHours !== undefined &&
    authentication.remindAfterHours >= authentication.waitHours
      ? [{ path: `${path}.authentication.remindAfterHours`, message: "must be before the wait is over" }]
      : []),
    ...ascending(access.map(delayMs), `${path}.access`, "step"),
    ...access.flatMap(({ level }, index) =>
      accessLevels.indexOf(level) > accessLevels.indexOf(access[index - 1]?.level ?? "granted")
        ? []
        : [{ path: `${path}.access[${index}].level`, message: "must allow less than the step before it" }],
    ),
  ];
}

function scheduleIssues({ countedFrom, attempts }: AttemptSchedule, path: string): CatalogIssue[] {
  const delays = attempts.map(delayMs);
  const soon = delays.flatMap((ms, index) =>
    ms > 0 ? [] : [{ path: `${path}.attempts[${index}]`, message: "must be some days or hours later" }],
  );
  if (soon.length > 0 || countedFrom === "previous_attempt") return soon;
  return ascending(delays, `${path}.attempts`, "attempt");
}

function giveUpIssues({ giveUpAfterDays, retryAfterDays, schedule }: DunningTerms, path: string) {
  if (giveUpAfterDays === undefined) return [];
  const delays = schedule?.attempts.map(delayMs) ?? retryAfterDays.map((days) => days * dayMs);
  const isSummed = schedule?.countedFrom === "previous_attempt";
  const last = isSummed ? delays.reduce((sum, ms) => sum + ms, 0) : Math.max(0, ...delays);
  if (giveUpAfterDays * dayMs >= last) return [];
  return [{ path: `${path}.giveUpAfterDays`, message: "must not be before the last attempt" }];
}

function timeOfDayIssues({ timeOfDay }: DunningTerms, path: string): CatalogIssue[] {
  if (timeOfDay === undefined || timeOfDay.hour !== undefined || timeOfDay.learnt === true) return [];
  return [{ path: `${path}.timeOfDay`, message: 'write an "hour", or that it is "learnt", or both' }];
}

function quietAtTheHour({ timeOfDay, quietHours }: DunningTerms, path: string): CatalogIssue[] {
  if (timeOfDay?.hour === undefined || quietHours === undefined) return [];
  const { from, to } = { from: minuteOf(quietHours.from), to: minuteOf(quietHours.to) };
  const minute = timeOfDay.hour * 60;
  const isQuiet = from < to ? minute >= from && minute < to : minute >= from || minute < to;
  return isQuiet ? [{ path: `${path}.timeOfDay.hour`, message: "must not lie in the quiet hours" }] : [];
}

function ascending(values: readonly number[], path: string, what: string): CatalogIssue[] {
  return values.flatMap((value, index) => {
    const before = values[index - 1];
    return before === undefined || value > before
      ? []
      : [{ path: `${path}[${index}]`, message: `must be later than the ${what} before it` }];
  });
}
