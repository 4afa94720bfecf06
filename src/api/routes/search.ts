import { z } from "zod";
import { type Database, inTransaction } from "../../db/database.ts";
import {
  type Found,
  findByName,
  findCustomersByPart,
  findInvoicesByBeginning,
  foundTypes,
  isPart,
} from "../../db/reports/search.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { textInput } from "../wire.ts";

const foundSchema = z
  .object({
    type: z.enum(foundTypes),
    id: z.string().describe("Ours; of a payment and a dispute Stripe's."),
    title: z.string().describe("A name or a number; the id where it has neither."),
    customer: z
      .object({ id: z.string(), name: z.string() })
      .nullable()
      .describe("Whose it is; null for an entry that is nobody's."),
    invoice: z.string().nullable().describe("The invoice that it belongs to."),
  })
  .meta({ id: "Found" });

const searchQuery = z.strictObject({
  q: textInput(200).describe(
    "An id of ours, of Stripe's or of a Temporal workflow; a number or its beginning; " +
      "part of a customer's name, id or e-mail address, with three letters in a row.",
  ),
  limit: z.coerce
    .number()
    .int({ error: "must be a whole number from 1 to 50" })
    .min(1, { error: "must be a whole number from 1 to 50" })
    .max(50, { error: "must be a whole number from 1 to 50" })
    .default(20),
});

const description = `
What is called exactly so comes first, then invoices whose number begins so, then customers who have it in their name, id or
e-mail address. There are no pages: who does not see it types more of it.
`.trim();

export function searchRoutes(api: ApiInstance, { db }: Pick<ApiDependencies, "db">): void {
  api.get(
    "/v1/search",
    {
      config: { scope: "read" },
      schema: {
        tags: ["Search"],
        summary: "Find anything by what one has of it",
        description,
        querystring: searchQuery,
        response: { 200: z.object({ data: z.array(foundSchema) }) },
      },
    },
    async ({ query: { q, limit } }) => ({ data: (await search(db, q.trim(), limit)).map(foundAnswer) }),
  );
}

async function search(db: Database, text: string, limit: number): Promise<Found[]> {
  const found = await findByName(db.orm, namesIn(text));
  if (isPart(text)) {
    found.push(...(await findInvoicesByBeginning(db.orm, text.toUpperCase(), limit)));
    found.push(...(await inTransaction(db, (tx) => findCustomersByPart(tx, text, limit))));
  }
  const once = Map.groupBy(found, ({ type, id }) => `${type} ${id}`);
  return [...once.values()].flatMap(([first]) => first ?? []).slice(0, limit);
}

const namesMax = 12;

/** The text, in capitals too as numbers are written, and the ids in that of a workflow: `cycle/sub_1/2026-01-01T…`. */
function namesIn(text: string): string[] {
  const parts = text.split("/").filter((part) => part !== "");
  return [...new Set([text, text.toUpperCase(), ...parts])].slice(0, namesMax);
}

const foundAnswer = ({ type, id, title, customerId, customerName, invoiceId }: Found) => ({
  type,
  id,
  title,
  customer: customerId === null ? null : { id: customerId, name: customerName ?? customerId },
  invoice: invoiceId,
});
