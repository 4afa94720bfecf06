import type { TimelineAbout } from "../reads/report-queries.ts";

export const timelineAbouts: readonly TimelineAbout[] = [
  "subscription",
  "invoice",
  "payment",
  "credit",
  "notice",
];
