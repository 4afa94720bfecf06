import { z } from "zod";
import { instantText } from "../wire.ts";

export const actorText = z.string().describe("An API key, by its id.").meta({ example: "api-key/key_1" });

/** What another key, or the one that asked, decided about a request that waits. */
export const decisionSchema = z
  .object({
    outcome: z.enum(["approved", "rejected", "withdrawn"]),
    decided_by: actorText,
    decided_at: instantText,
    note: z.string().nullable(),
  })
  .nullable();
