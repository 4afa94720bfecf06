import { z } from "zod";
import { type Instant, instant, isoOf } from "../../domain/calendar/index.ts";
import type { PauseChoices } from "../../workflows/messages.ts";
import type { SubscriptionChangeCommand } from "../dependencies.ts";
import { RequestRefusedError } from "../refusals.ts";
import { instantInput } from "../wire.ts";

/** What a pause may say for itself. */
export const pauseInputs = {
  usage: z
    .enum(["billed", "refused"])
    .default("billed")
    .describe("`refused`: there is no access; what is reported all the same is metered and not charged."),
  resumes_at: instantInput.optional().describe("When it is resumed by itself; never, when left out."),
  resume_anchor: z
    .enum(["keep", "reset"])
    .default("keep")
    .describe("Whether that begins a new period, charged in full."),
};

interface PauseBody {
  readonly usage: "billed" | "refused";
  readonly resumes_at?: Instant | undefined;
  readonly resume_anchor: "keep" | "reset";
}

/** @throws RequestRefusedError unless the pause ends after it has begun */
export function pauseOf(
  { usage, resumes_at: resumesAt, resume_anchor: resumeAnchor }: PauseBody,
  { at, when }: SubscriptionChangeCommand,
): PauseChoices {
  const begins = typeof when === "object" ? instant(when.at) : at;
  if (resumesAt !== undefined && resumesAt <= begins) {
    throw new RequestRefusedError("request_invalid", `must be after ${isoOf(begins)}`, "resumes_at");
  }
  return {
    ...(usage === "refused" ? { usage } : {}),
    ...(resumesAt === undefined ? {} : { resumesAt: isoOf(resumesAt), resumeAnchor }),
  };
}
