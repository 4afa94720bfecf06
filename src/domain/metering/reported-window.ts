import { type Instant, instantOfEpochMs } from "../calendar/index.ts";
import { type Decimal, sumDecimals, zero } from "../money/index.ts";

/** What somebody else's meter was told of a window; the values of all revisions add up to what it should have counted. */
export type Reported = {
  readonly revision: number;
  readonly kind: "usage" | "cancel";
  readonly value: Decimal;
  /** The revision that this one takes back. */
  readonly cancels: number | null;
  readonly state: "planned" | "sent" | "refused" | "unknown";
  readonly sentAt: Instant | null;
};

/** A further revision, to be told. */
export type Report = Pick<Reported, "cancels" | "kind" | "revision" | "value">;

const hourMs = 3_600_000;
/** An event can be taken back for a day; an hour of it is left for the way. */
const cancelableMs = 23 * hourMs;

/**
 * What to tell of a window that has come to `quantity`: nothing, what it has grown by, or, where it has shrunk, which events
 * are taken back while they can be, and what then is missing. What can be taken back no more is made good by a negative value.
 */
export function nextReports(quantity: Decimal, reported: readonly Reported[], at: Instant): Report[] {
  const standing = reported.filter(({ state }) => state !== "refused");
  let told = sumDecimals(standing.map(({ value }) => value));
  let revision = Math.max(0, ...reported.map((each) => each.revision));
  const reports: Report[] = [];
  const tell = (report: Omit<Report, "revision">) => {
    revision += 1;
    reports.push({ ...report, revision });
    told = told.plus(report.value);
  };
  for (const { revision: cancels, value } of cancelable(standing, at)) {
    if (told.compare(quantity) <= 0) break;
    tell({ kind: "cancel", cancels, value: value.negated() });
  }
  const missing = quantity.minus(told);
  if (missing.compare(zero) !== 0) tell({ kind: "usage", cancels: null, value: missing });
  return reports;
}

/** The newest first. */
function cancelable(standing: readonly Reported[], at: Instant): Reported[] {
  const canceled = new Set(standing.map(({ cancels }) => cancels));
  const since = instantOfEpochMs(at - cancelableMs);
  return standing
    .filter(
      ({ kind, state, sentAt, value, revision }) =>
        kind === "usage" &&
        state === "sent" &&
        sentAt !== null &&
        sentAt > since &&
        value.compare(zero) > 0 &&
        !canceled.has(revision),
    )
    .toSorted((one, other) => other.revision - one.revision);
}
