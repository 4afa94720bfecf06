import { z } from "zod";
import type { CorrectionOfEvent } from "../../db/usage/corrected-events.ts";
import { usageCorrectionKinds, usageCorrectionReasons } from "../../domain/corrections/index.ts";
import { instantText } from "../wire.ts";

/** How a correction looks beside an event that it is about. */
export const correctionOfEventSchema = z.object({
  correction: z.string().describe("Its id."),
  kind: z.enum(usageCorrectionKinds),
  reason_code: z.enum(usageCorrectionReasons),
  note: z.string().nullable(),
  requested_by: z.string(),
  effective_at: instantText,
  data: z.record(z.string(), z.unknown()).optional().describe("What an amended event says from then on."),
});

export const correctionOfEventAnswer = ({
  id: correction,
  kind,
  reasonCode: reason_code,
  note,
  requestedBy: requested_by,
  bookedAt: effective_at,
  data,
}: CorrectionOfEvent): z.infer<typeof correctionOfEventSchema> => ({
  correction,
  kind,
  reason_code,
  note,
  requested_by,
  effective_at,
  ...(data === null ? {} : { data }),
});
