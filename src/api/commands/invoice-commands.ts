import { insertVoidRequest } from "../../db/billing/invoice-voids.ts";
import { findInvoice } from "../../db/billing/invoices.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { TemporalGateway } from "../../temporal/gateway.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import type { InvoiceCommands } from "../invoice-dependencies.ts";
import { found } from "../refusals.ts";
import { clockReadingOf } from "./clock-reading.ts";

/** What is done with issued invoices, by runs of their own: it takes Stripe as well as the database. */
export function invoiceCommands(
  deps: Pick<ApiDependencies, "db" | "now">,
  gateway: TemporalGateway,
): InvoiceCommands {
  const { db } = deps;
  return {
    async voidInvoice({ invoiceId, requestId, reasonCode, reason }, { actor }) {
      const { customerId, subscriptionId } = found(
        await findInvoice(db.orm, invoiceId),
        "invoice",
        invoiceId,
      );
      const requestedAt = await timeOfCustomer(deps, customerId);
      const by = { requestedBy: actor, requestedAt };
      await insertVoidRequest(db.orm, { invoiceId, requestId, reasonCode, reason, ...by });
      const clock = await clockReadingOf(db, customerId);
      const input = { invoiceId, customerId, subscriptionId, clock };
      return await gateway.voidInvoice(input, { requestId, at: isoOf(requestedAt) });
    },
  };
}
