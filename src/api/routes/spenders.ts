import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import { inTransaction } from "../../db/database.ts";
import { placementsOf, placeSpender, spenderNumber } from "../../db/entitlements/spenders.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idInput, idParams, instantInput, instantText, textInput } from "../wire.ts";
import { actorText } from "./decisions-wire.ts";
import { spenderInput, spenderOf } from "./spending-caps.ts";

type SpenderDependencies = Pick<ApiDependencies, "db" | "now">;

const placementInput = z.strictObject({
  spender: spenderInput,
  below: z
    .discriminatedUnion("type", [
      z.strictObject({ type: z.literal("team"), key: textInput(200) }),
      z
        .strictObject({ type: z.literal("customer"), id: idInput })
        .describe("Who pays for this customer: its pool."),
    ])
    .nullable()
    .describe("Null: below nobody but its own customer."),
  effective_at: instantInput.optional().describe("At once, when left out; not in the past."),
});

const placementSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    spender: z.object({ type: z.enum(["organisation", "team", "user"]), key: z.string() }),
    effective_at: instantText,
    placed_by: actorText,
  })
  .meta({ id: "SpenderPlacement" });

/** Below whom users, teams and customers spend: every level above counts what they do. */
export function spenderRoutes(api: ApiInstance, deps: SpenderDependencies): void {
  api.post(
    "/v1/customers/:id/spender-placements",
    {
      config: {
        scope: "write",
        refusals: ["customer_not_found", "spender_placement_invalid", "spender_placement_past"],
      },
      schema: {
        tags: ["Reservations"],
        summary: "Place a user or team below a team, or a customer below the one that pays for it",
        description:
          "From then on what it spends counts there and at every level above. What was reserved before counts where it was reserved. Placements are kept: who was where, and when.",
        params: idParams,
        body: placementInput,
        response: { 201: placementSchema },
      },
    },
    async (request, reply) => {
      const { id: customerId } = request.params;
      const { below, spender } = request.body;
      found(await findCustomer(deps.db.orm, customerId), "customer", customerId);
      if (below?.type === "customer") found(await findCustomer(deps.db.orm, below.id), "customer", below.id);
      const now = await timeOfCustomer(deps, customerId);
      const effectiveAt = request.body.effective_at ?? now;
      if (effectiveAt < now) {
        throw new RequestRefusedError("spender_placement_past", "must not be in the past", "effective_at");
      }
      const name = spenderOf(customerId, spender);
      const id = newId(request, "place");
      const placedBy = callerOf(request).actor;
      await inTransaction(deps.db, async (tx) => {
        const above =
          below === null
            ? null
            : below.type === "team"
              ? { customerId, kind: "team" as const, key: below.key }
              : { customerId: below.id, kind: "organisation" as const, key: below.id };
        const parent = above === null ? null : await spenderNumber(tx, above);
        const number = await spenderNumber(tx, name);
        await placeSpender(tx, { id, spender: number, parent, effectiveAt, placedBy });
      });
      const placed = (await placementsOf(deps.db.orm, name)).find((each) => each.id === id);
      const row = found(placed, "spender_placement", id);
      return reply.code(201).send({
        ...{ id, customer: customerId, spender: { type: name.kind, key: name.key } },
        ...{ effective_at: isoOf(row.effectiveAt), placed_by: row.placedBy },
      });
    },
  );
}
