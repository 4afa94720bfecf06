import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import { policyChoiceOf } from "../../db/billing/dunning-policies.ts";
import { findInvoice } from "../../db/billing/invoices.ts";
import { dunningsOf, findDunning } from "../../db/billing/payments.ts";
import { inTransaction } from "../../db/database.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { listOf } from "../pagination.ts";
import { found } from "../refusals.ts";
import { idInput, idParams, instantInput, instantText, textInput } from "../wire.ts";
import { actorText } from "./decisions-wire.ts";
import { commandAnswer, dunningDetail } from "./dunning-answers.ts";
import { dunningCommandSchema, dunningDetailSchema } from "./dunning-schemas.ts";

const tags = ["Dunning"];

/** What follows failed payments: how it stands, and what operators may do about it. */
export function dunningRoutes(api: ApiInstance, deps: ApiDependencies): void {
  getDunningOfInvoice(api, deps);
  getDunningsOfCustomer(api, deps);
  command(api, deps, "retry", "Charge the card on file now", {}, "It uses up no attempt of the schedule.");
  command(
    api,
    deps,
    "postpone",
    "Make no attempt, and give nothing up, before an instant",
    { until: instantInput.describe("By the customer's clock.") },
    "Attempts that would have been made until then are one, made then.",
  );
  command(
    api,
    deps,
    "stop",
    "End the dunning of an invoice",
    {},
    "Nothing more is tried or said, and the subscription is active again. The invoice stays open, and can still be paid.",
  );
  dunningPolicyOfCustomer(api, deps);
}

function getDunningOfInvoice(api: ApiInstance, deps: ApiDependencies): void {
  api.get(
    "/v1/invoices/:id/dunning",
    {
      config: { scope: "read", refusals: ["invoice_not_found", "dunning_not_found"] },
      schema: {
        tags,
        summary: "How the dunning of an invoice stands, what happens next, and why",
        params: idParams,
        response: { 200: dunningDetailSchema },
      },
    },
    async ({ params: { id } }) => {
      const { customerId } = found(await findInvoice(deps.db.orm, id), "invoice", id);
      const now = await timeOfCustomer(deps, customerId);
      return await inTransaction(
        deps.db,
        async (tx) => dunningDetail(tx, found(await findDunning(tx, id), "dunning", id), now),
        { isolation: "repeatable read" },
      );
    },
  );
}

function getDunningsOfCustomer(api: ApiInstance, deps: ApiDependencies): void {
  api.get(
    "/v1/customers/:id/dunning",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "The dunnings of a customer's invoices, the newest first, at most a hundred",
        params: idParams,
        response: { 200: listOf(dunningDetailSchema) },
      },
    },
    async ({ params: { id } }) => {
      found(await findCustomer(deps.db.orm, id), "customer", id);
      const now = await timeOfCustomer(deps, id);
      const data: z.infer<typeof dunningDetailSchema>[] = [];
      for (const dunning of await dunningsOf(deps.db.orm, id)) {
        data.push(await dunningDetail(deps.db.orm, dunning, now));
      }
      return { data, next_cursor: null };
    },
  );
}

const reason = textInput(500).describe("Why: it is kept with who decided.");

function command(
  api: ApiInstance,
  deps: ApiDependencies,
  name: "retry" | "postpone" | "stop",
  summary: string,
  fields: { readonly until?: typeof instantInput },
  description: string,
): void {
  const refusals = ["invoice_not_found", "dunning_not_found", "dunning_ended"];
  if (name === "retry") refusals.push("dunning_disputed");
  if (name === "postpone") refusals.push("dunning_postponement_invalid");
  api.post(
    `/v1/invoices/:id/dunning/${name}`,
    {
      config: { scope: "write", refusals },
      schema: {
        tags,
        summary,
        description,
        params: idParams,
        body: z.strictObject({ ...fields, reason }),
        response: { 201: dunningCommandSchema },
      },
    },
    async (request, reply) => {
      const { reason: why, until = null } = request.body as {
        reason: string;
        until?: z.output<typeof instantInput>;
      };
      const written = await deps.dunning.command(
        {
          requestId: newId(request, "dun"),
          invoiceId: request.params.id,
          command: name,
          until,
          reason: why,
        },
        contextOf(request),
      );
      return reply.code(201).send(commandAnswer(written));
    },
  );
}

const choiceSchema = z
  .object({
    policy: z.string().nullable().describe("Null: what the customer's plans say counts."),
    reason: z.string().nullable(),
    chosen_by: actorText.nullable(),
    chosen_at: instantText.nullable(),
  })
  .meta({ id: "DunningPolicyChoice" });

function dunningPolicyOfCustomer(api: ApiInstance, deps: ApiDependencies): void {
  const answer = async (customerId: string): Promise<z.infer<typeof choiceSchema>> => {
    const choice = await policyChoiceOf(deps.db.orm, customerId);
    return {
      policy: choice?.policyKey ?? null,
      reason: choice?.reason ?? null,
      chosen_by: choice?.chosenBy ?? null,
      chosen_at: choice === undefined ? null : isoOf(choice.chosenAt),
    };
  };
  api.get(
    "/v1/customers/:id/dunning-policy",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "Which dunning policy was chosen for a customer",
        params: idParams,
        response: { 200: choiceSchema },
      },
    },
    async ({ params: { id } }) => {
      found(await findCustomer(deps.db.orm, id), "customer", id);
      return await answer(id);
    },
  );
  api.post(
    "/v1/customers/:id/dunning-policy",
    {
      config: { scope: "write", refusals: ["customer_not_found", "dunning_policy_not_found"] },
      schema: {
        tags,
        summary: "Choose a dunning policy for a customer, or none",
        description:
          "One of the deployment's policies; it counts instead of what the customer's plans say, for payments that fail from now on.",
        params: idParams,
        body: z.strictObject({
          policy: idInput.nullable().describe("Its key; null for what the customer's plans say."),
          reason: textInput(500).optional(),
        }),
        response: { 201: choiceSchema },
      },
    },
    async (request, reply) => {
      const { id: customerId } = request.params;
      found(await findCustomer(deps.db.orm, customerId), "customer", customerId);
      const { policy: policyKey, reason: why = null } = request.body;
      const requestId = newId(request, "dun");
      await deps.dunning.choosePolicy({ requestId, customerId, policyKey, reason: why }, contextOf(request));
      return reply.code(201).send(await answer(customerId));
    },
  );
}
