import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import { inTransaction } from "../../db/database.ts";
import {
  endCap,
  findCap,
  insertCap,
  listCaps,
  type StoredCap,
  spenderNumber,
} from "../../db/entitlements/spenders.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { calendarUnits } from "../../domain/catalog/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { decimalText, idParams, instantInput, instantText, isoOrNull, textInput } from "../wire.ts";
import { actorText } from "./decisions-wire.ts";

type CapDependencies = Pick<ApiDependencies, "db" | "now">;

/** A customer as an organisation, one of its teams or cost centres, or one of its users. */
export const spenderInput = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("organisation") }).describe("The customer itself."),
    z.strictObject({ type: z.literal("team"), key: textInput(200) }).describe("Or a cost centre."),
    z.strictObject({ type: z.literal("user"), key: textInput(200) }),
  ])
  .meta({ id: "Spender" });

/** As the tables have it. */
export const spenderOf = (customerId: string, input: z.infer<typeof spenderInput>) => ({
  customerId,
  kind: input.type,
  key: input.type === "organisation" ? customerId : input.key,
});

const windowLength = z.strictObject({
  unit: z.enum(["minute", "hour", "day", "week"]),
  count: z.int().min(1).max(1_000),
});

export const windowInput = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("calendar"), unit: z.enum(calendarUnits) }),
    z.strictObject({ type: z.literal("billing_cycle") }),
    z.strictObject({ type: z.literal("first_use"), length: windowLength }),
    z.strictObject({ type: z.literal("never") }),
  ])
  .describe("On the clock, or by the billing cycle, of the customer whose cap it is. `never` begins anew.")
  .meta({ id: "SpendingWindow" });

const capFields = {
  each_user: z.boolean().describe("Each user below has it for himself."),
  amount_minor: z
    .string()
    .regex(/^(0|[1-9]\d{0,15})$/, { error: 'must be whole minor units as a text, such as "2000"' })
    .describe("The most that may be spent in each window; of a raise, that much more.")
    .meta({ example: "2000" }),
  window: windowInput,
  kind: z
    .enum(["cap", "raise"])
    .describe("A raise comes on top of the cap with the same window until it expires."),
};

const capInput = z
  .strictObject({
    ...capFields,
    spender: spenderInput,
    each_user: capFields.each_user.default(false),
    kind: capFields.kind.default("cap"),
    effective_at: instantInput.optional().describe("At once, when left out."),
    expires_at: instantInput.optional().describe("Never, when left out; a raise must say it."),
    reason: textInput(500).optional(),
  })
  .refine(({ kind, expires_at }) => kind === "cap" || expires_at !== undefined, {
    error: "of a raise it must be said",
    path: ["expires_at"],
  });

const capSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    spender: z.object({ type: z.enum(["organisation", "team", "user"]), key: z.string() }),
    ...capFields,
    amount_minor: decimalText,
    effective_at: instantText,
    expires_at: instantText.nullable(),
    reason: z.string().nullable(),
    set_by: actorText,
    set_at: instantText,
    end: z.object({ ended_by: actorText, ended_at: instantText, reason: z.string().nullable() }).nullable(),
  })
  .meta({ id: "SpendingCap" });

const tags = ["Reservations"];

/** How much may be spent, by whom, in which window. */
export function spendingCapRoutes(api: ApiInstance, deps: CapDependencies): void {
  setCap(api, deps);
  getCaps(api, deps);
  postEnd(api, deps);
}

function setCap(api: ApiInstance, deps: CapDependencies): void {
  api.post(
    "/v1/customers/:id/spending-caps",
    {
      config: { scope: "write", refusals: ["customer_not_found", "spending_cap_times_invalid"] },
      schema: {
        tags,
        summary: "Cap what an organisation, a team, or each user may spend",
        description:
          "Requests that are reserved never pass it. Of several caps with the same window the newest counts; what was spent and reserved in the window counts from its beginning.",
        params: idParams,
        body: capInput,
        response: { 201: capSchema },
      },
    },
    async (request, reply) => {
      const { id: customerId } = request.params;
      const {
        spender,
        each_user: eachUser,
        amount_minor: amountMinor,
        window,
        kind,
        reason = null,
      } = request.body;
      found(await findCustomer(deps.db.orm, customerId), "customer", customerId);
      const now = await timeOfCustomer(deps, customerId);
      const effectiveAt = request.body.effective_at ?? now;
      const expiresAt = request.body.expires_at ?? null;
      requireTimes(effectiveAt, expiresAt, now);
      const id = newId(request, "cap");
      const setBy = callerOf(request).actor;
      await inTransaction(deps.db, async (tx) => {
        const number = await spenderNumber(tx, spenderOf(customerId, spender));
        const row = {
          id,
          spender: number,
          kind,
          eachUser,
          amountMinor,
          window,
          effectiveAt,
          expiresAt,
          reason,
        };
        await insertCap(tx, { ...row, setBy, setAt: now });
      });
      return reply.code(201).send(capAnswer(found(await findCap(deps.db.orm, id), "spending_cap", id)));
    },
  );
}

/** @throws RequestRefusedError unless it takes effect from now on, and ends after that */
function requireTimes(effectiveAt: Instant, expiresAt: Instant | null, now: Instant): void {
  if (effectiveAt < now) {
    throw new RequestRefusedError(
      "spending_cap_times_invalid",
      "must not be in the customer's past",
      "effective_at",
    );
  }
  if (expiresAt !== null && expiresAt <= effectiveAt) {
    throw new RequestRefusedError(
      "spending_cap_times_invalid",
      "must be after it takes effect",
      "expires_at",
    );
  }
}

function getCaps(api: ApiInstance, { db }: CapDependencies): void {
  api.get(
    "/v1/customers/:id/spending-caps",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "The caps of a customer, its teams and its users, the newest first",
        params: idParams,
        querystring: pageQuery,
        response: { 200: listOf(capSchema) },
      },
    },
    async ({ params: { id }, query }) => {
      found(await findCustomer(db.orm, id), "customer", id);
      return listAnswer(await listCaps(db.orm, id, pageRequest(query, newestFirst)), newestFirst, capAnswer);
    },
  );
}

function postEnd(api: ApiInstance, deps: CapDependencies): void {
  api.post(
    "/v1/spending-caps/:id/end",
    {
      config: { scope: "write", refusals: ["spending_cap_not_found"] },
      schema: {
        tags,
        summary: "End a cap or a raise before its time",
        params: idParams,
        body: z.strictObject({ reason: textInput(500).optional() }),
        response: { 200: capSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const cap = found(await findCap(deps.db.orm, id), "spending_cap", id);
      const endedAt = await timeOfCustomer(deps, cap.holder.customerId);
      const endedBy = callerOf(request).actor;
      await endCap(deps.db.orm, { capId: id, endedBy, endedAt, reason: request.body.reason ?? null });
      return capAnswer(found(await findCap(deps.db.orm, id), "spending_cap", id));
    },
  );
}

function capAnswer({ holder, end, ...cap }: StoredCap): z.infer<typeof capSchema> {
  return {
    ...{ id: cap.id, customer: holder.customerId, spender: { type: holder.kind, key: holder.key } },
    ...{ kind: cap.kind, each_user: cap.eachUser, amount_minor: cap.amountMinor },
    window: cap.window as z.infer<typeof windowInput>,
    effective_at: isoOf(cap.effectiveAt),
    expires_at: isoOrNull(cap.expiresAt),
    ...{ reason: cap.reason, set_by: cap.setBy, set_at: isoOf(cap.setAt) },
    end: end === null ? null : { ended_by: end.endedBy, ended_at: isoOf(end.endedAt), reason: end.reason },
  };
}
