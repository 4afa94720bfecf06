import { findDunningPolicy, insertPolicyChoice } from "../../db/billing/dunning-policies.ts";
import { insertDunningCommand } from "../../db/billing/dunning-records.ts";
import { findInvoice } from "../../db/billing/invoices.ts";
import { findDunning, isOpenDunning, type StoredDunning } from "../../db/billing/payments.ts";
import { lockCustomer } from "../../db/billing/subscriptions.ts";
import { inTransaction } from "../../db/database.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { TemporalGateway } from "../../temporal/gateway.ts";
import { dunningCommanded } from "../../workflows/messages.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import type { DunningCommands, DunningRequest } from "../dunning-dependencies.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { clockReadingOf } from "./clock-reading.ts";

const postponementMsMax = 365 * 86_400_000;

/** Decisions are written first: a run that is told twice, or by another process, does them once. */
export function dunningCommands(
  deps: Pick<ApiDependencies, "db" | "now">,
  gateway: TemporalGateway,
): DunningCommands {
  const { db } = deps;
  return {
    async command(request, { actor }) {
      const { invoiceId, requestId, command, until } = request;
      const { customerId } = found(await findInvoice(db.orm, invoiceId), "invoice", invoiceId);
      const now = await timeOfCustomer(deps, customerId);
      const written = await inTransaction(db, async (tx) => {
        await lockCustomer(tx, customerId);
        admit(request, found(await findDunning(tx, invoiceId), "dunning", invoiceId), now);
        const by = { commandedBy: actor, commandedAt: now };
        return await insertDunningCommand(tx, { ...request, ...by });
      });
      invariant(written, `the command ${requestId} was written`);
      const clock = await clockReadingOf(db, customerId);
      const told = { requestId, command, ...(until === null ? {} : { until: isoOf(until) }) };
      await gateway.tellDunning(invoiceId, clock, dunningCommanded, { ...told, cause: requestId });
      return written;
    },
    async choosePolicy({ requestId, customerId, policyKey, reason }, { actor }) {
      const chosenAt = await timeOfCustomer(deps, customerId);
      if (policyKey !== null && (await findDunningPolicy(db.orm, policyKey)) === undefined) {
        const message = `there is no dunning policy "${policyKey}": publish it with the catalog`;
        throw new RequestRefusedError("dunning_policy_not_found", message, "policy");
      }
      const by = { chosenBy: actor, chosenAt };
      await insertPolicyChoice(db.orm, { customerId, requestId, policyKey, reason, ...by });
    },
  };
}

function admit({ command, until }: DunningRequest, dunning: StoredDunning, now: Instant): void {
  if (!isOpenDunning(dunning)) {
    throw new RequestRefusedError("dunning_ended", `its dunning has ended: ${dunning.state}`);
  }
  if (command === "retry" && dunning.state === "disputed") {
    const message = "a payment of it is disputed: nothing is charged until that is over";
    throw new RequestRefusedError("dunning_disputed", message);
  }
  if (until === null || (until > now && until <= now + postponementMsMax)) return;
  const message = "must be later than now by the customer's clock, and within a year";
  throw new RequestRefusedError("dunning_postponement_invalid", message, "until");
}
