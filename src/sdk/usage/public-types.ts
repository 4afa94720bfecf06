/** What a service names when it reports usage. */
export type {
  AnswerStatus,
  UsageAnswer,
  UsageProblem,
  UsageProblemCode,
  UsageRecovery,
} from "./notices.ts";
export type { ReporterOptions } from "./options.ts";
export type { RefusalCode, UsageEventInput } from "./usage-event.ts";
export type { ReportResult, UsageReporter, UsageStats, WaitOptions } from "./usage-reporter.ts";
