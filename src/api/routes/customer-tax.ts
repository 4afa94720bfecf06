import { randomUUID } from "node:crypto";
import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import { lastTaxChoice, taxStandingOf } from "../../db/billing/tax-choices.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { taxBases, taxHandlings } from "../../domain/invoicing/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { contextOf } from "../observation.ts";
import { found } from "../refusals.ts";
import { idInput, idParams, instantInput, instantText, textInput } from "../wire.ts";
import { actorText } from "./decisions-wire.ts";
import { givenTaxAnswer, givenTaxSchema, quoteInput, taxInput, taxLinesOf } from "./tax-schemas.ts";

const tags = ["Customers"];

const choiceInput = z.strictObject({
  handling: z
    .enum(taxHandlings)
    .nullable()
    .describe("`external`: a service outside reckons it. Null: as the seller says for all."),
  basis: z
    .enum(taxBases)
    .default("before_credits")
    .describe("What tax is on: the lines as they are, or what credit grants leave of them."),
  applies_at: instantInput.optional().describe("For invoices issued from then on; now when left out."),
  reason: textInput(500).optional(),
});

const taxSchema = z
  .object({
    handling: z.enum(taxHandlings).describe("As it is now."),
    basis: z.enum(taxBases),
    wait_days: z.int().describe("So long an invoice waits for its tax before operators are shown it."),
    chosen: z
      .object({
        handling: z.enum(taxHandlings).nullable(),
        basis: z.enum(taxBases),
        applies_at: instantText,
        reason: z.string().nullable(),
        chosen_by: actorText,
        chosen_at: instantText,
      })
      .nullable()
      .describe("What was last said of the customer; null when nothing was."),
  })
  .meta({ id: "CustomerTax" });

/** Who reckons a customer's tax, and tax for invoices that are issued at once. */
export function customerTaxRoutes(api: ApiInstance, deps: ApiDependencies): void {
  getTax(api, deps);
  chooseTax(api, deps);
  giveTaxAhead(api, deps);
}

function getTax(api: ApiInstance, deps: ApiDependencies): void {
  api.get(
    "/v1/customers/:id/tax",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "Who reckons a customer's tax",
        params: idParams,
        response: { 200: taxSchema },
      },
    },
    async ({ params: { id } }) => answerOf(deps, id),
  );
}

function chooseTax(api: ApiInstance, deps: ApiDependencies): void {
  api.put(
    "/v1/customers/:id/tax",
    {
      config: { scope: "write", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "Say who reckons a customer's tax",
        description:
          "For invoices issued from then on; what is issued stays. Of a customer whose tax is reckoned outside no invoice is issued without it.",
        params: idParams,
        body: choiceInput,
        response: { 200: taxSchema },
      },
    },
    async (request) => {
      const { id: customerId } = request.params;
      found(await findCustomer(deps.db.orm, customerId), "customer", customerId);
      const { applies_at: appliesAt, reason = null, ...choice } = request.body;
      const requestId = randomUUID();
      await deps.taxes.chooseTax({ ...choice, requestId, customerId, appliesAt, reason }, contextOf(request));
      return await answerOf(deps, customerId);
    },
  );
}

function giveTaxAhead(api: ApiInstance, deps: ApiDependencies): void {
  api.put(
    "/v1/customers/:id/tax-lines/:quote",
    {
      config: {
        scope: "write",
        refusals: ["customer_not_found", "tax_not_external", "tax_sum_differs"],
      },
      schema: {
        tags,
        summary: "Give the tax of an invoice that is issued at once, before it is asked for",
        description:
          "For the quote that a change's preview says, or that a refusal `tax_missing` names. It is used for one invoice.",
        params: z.strictObject({ id: idInput, quote: quoteInput }),
        body: taxInput,
        response: { 200: givenTaxSchema },
      },
    },
    async (request) => {
      const { id: customerId, quote } = request.params;
      found(await findCustomer(deps.db.orm, customerId), "customer", customerId);
      const { currency } = request.body;
      const requestId = `tax_${randomUUID().replaceAll("-", "")}`;
      const tax = { customerId, requestId, quote, currency, lines: taxLinesOf(request.body) };
      return givenTaxAnswer(await deps.taxes.giveTaxAhead(tax, contextOf(request)));
    },
  );
}

async function answerOf(deps: ApiDependencies, customerId: string): Promise<z.infer<typeof taxSchema>> {
  const { orm } = deps.db;
  found(await findCustomer(orm, customerId), "customer", customerId);
  const at = await timeOfCustomer(deps, customerId);
  const { handling, basis, waitDays } = await taxStandingOf(orm, { customerId, at });
  const chosen = await lastTaxChoice(orm, customerId);
  return {
    handling,
    basis,
    wait_days: waitDays,
    chosen:
      chosen === undefined
        ? null
        : {
            handling: chosen.handling,
            basis: chosen.basis,
            applies_at: isoOf(chosen.appliesAt),
            reason: chosen.reason,
            chosen_by: chosen.chosenBy,
            chosen_at: isoOf(chosen.chosenAt),
          },
  };
}
