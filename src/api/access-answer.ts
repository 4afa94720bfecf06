import type { z } from "zod";
import type { InvoiceAccess } from "../db/billing/access.ts";
import { isoOf } from "../domain/calendar/index.ts";
import type { accessSchema } from "./routes/dunning-schemas.ts";

/** Access as answers write it. */
export function accessAnswer({ level, next, invoiceId }: InvoiceAccess): z.infer<typeof accessSchema> {
  return {
    level,
    invoice: invoiceId,
    next: next === null ? null : { at: isoOf(next.at), level: next.level },
  };
}
