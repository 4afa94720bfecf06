import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import { inTransaction } from "../../db/database.ts";
import { giveGrantTo, spenderNumber } from "../../db/entitlements/spenders.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idInput, idParams, instantText, textInput } from "../wire.ts";
import { actorText } from "./decisions-wire.ts";
import { spenderOf } from "./spending-caps.ts";

const holderInput = z.strictObject({
  credit_grant: idInput.describe("A credit grant, or a recurring grant: then each of its times."),
  holder: z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("user"), key: textInput(200) }).describe("Whose seat it belongs to."),
    z.strictObject({ type: z.literal("team"), key: textInput(200) }).describe("The pool of those below it."),
  ]),
});

const holderSchema = z
  .object({
    credit_grant: z.string(),
    holder: z.object({ type: z.enum(["user", "team"]), key: z.string() }),
    given_by: actorText,
    given_at: instantText,
  })
  .meta({ id: "GrantHolder" });

/** Allowances of seats and teams: credit that only their requests may spend. */
export function grantHolderRoutes(api: ApiInstance, deps: Pick<ApiDependencies, "db" | "now">): void {
  api.post(
    "/v1/customers/:id/grant-holders",
    {
      config: {
        scope: "write",
        refusals: ["customer_not_found", "credit_grant_holder_invalid", "credit_grant_held"],
      },
      schema: {
        tags: ["Reservations"],
        summary: "Give a credit grant to one user, or to a team and those below it",
        description:
          "From then on only their reserved requests spend it: a user's pays first, then the teams' above him, then what anybody may spend. " +
          "Usage that is only reported spends none of it. It stays with its holder.",
        params: idParams,
        body: holderInput,
        response: { 201: holderSchema },
      },
    },
    async (request, reply) => {
      const { id: customerId } = request.params;
      const { credit_grant: grantId, holder } = request.body;
      found(await findCustomer(deps.db.orm, customerId), "customer", customerId);
      const givenAt = await timeOfCustomer(deps, customerId);
      const givenBy = callerOf(request).actor;
      const stored = await inTransaction(deps.db, async (tx) => {
        const spender = await spenderNumber(tx, spenderOf(customerId, holder));
        const given = await giveGrantTo(tx, { grantId, spender, givenBy, givenAt });
        if (given.spender !== spender) {
          throw new RequestRefusedError(
            "credit_grant_held",
            "somebody else holds it, for ever",
            "credit_grant",
          );
        }
        return given;
      });
      return reply.code(201).send({
        ...{ credit_grant: grantId, holder, given_by: stored.givenBy, given_at: isoOf(stored.givenAt) },
      });
    },
  );
}
