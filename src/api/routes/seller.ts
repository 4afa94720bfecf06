import { z } from "zod";
import { currentSeller, type StoredSeller, setSeller } from "../../db/billing/seller.ts";
import { inTransaction } from "../../db/database.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { documentSeries } from "../../domain/invoicing/document/index.ts";
import { taxHandlings, usualTaxPolicy } from "../../domain/invoicing/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { NotFoundError } from "../refusals.ts";
import { instantText, textInput } from "../wire.ts";

const orNull = (lengthMax: number) => textInput(lengthMax).nullable().default(null);

const sellerInput = z.strictObject({
  name: textInput(200),
  address_lines: z.array(textInput(200)).max(6).default([]).describe("Street, town, country; a line each."),
  email: orNull(200),
  website: orNull(200),
  tax_id: orNull(100).describe("Such as a VAT number, as it is to be printed."),
  footer: orNull(500).describe("Printed at the end of each document."),
  numbering: z
    .strictObject({
      series: z
        .enum(["customer", "year"])
        .describe("One series for each customer, or one for all that starts anew each year (UTC)."),
      prefix: z
        .string()
        .regex(/^[A-Z0-9][A-Z0-9-]{0,11}$/, {
          error: "must be 1 to 12 capital letters, digits or hyphens, such as RK",
        })
        .default("INV")
        .describe("What numbers of the year's series begin with."),
    })
    .default({ series: "customer", prefix: "INV" }),
  tax: z
    .strictObject({
      handling: z
        .enum(taxHandlings)
        .describe("Of customers of whom nothing else is said. `external`: a service outside reckons it."),
      wait_days: z
        .int()
        .min(0)
        .max(90)
        .default(usualTaxPolicy.waitDays)
        .describe("So long a closed period waits for its tax before operators are shown it."),
    })
    .default({ handling: usualTaxPolicy.handling, wait_days: usualTaxPolicy.waitDays }),
});

const sellerSchema = sellerInput
  .extend({ version: z.int(), set_by: z.string(), set_at: instantText })
  .meta({ id: "Seller" });

const tags = ["Seller"];

/** Who sells, as documents say it, and how they are numbered. */
export function sellerRoutes(api: ApiInstance, { db, now }: Pick<ApiDependencies, "db" | "now">): void {
  api.get(
    "/v1/seller",
    {
      config: { scope: "read", refusals: ["seller_not_found"] },
      schema: { tags, summary: "Who sells, as documents say it now", response: { 200: sellerSchema } },
    },
    async () => {
      const stored = await currentSeller(db.orm);
      if (stored === undefined) throw new NotFoundError("seller", "current");
      return sellerAnswer(stored);
    },
  );
  api.put(
    "/v1/seller",
    {
      config: { scope: "admin", refusals: ["number_prefix_invalid"] },
      schema: {
        tags,
        summary: "Say who sells, and how documents are numbered, from now on",
        description:
          "A new version each time. Documents that are issued keep what they say, and their numbers.",
        body: sellerInput,
        response: { 200: sellerSchema },
      },
    },
    async (request) => {
      const { address_lines: addressLines, tax_id: taxId, tax: asked, ...rest } = request.body;
      const tax = { handling: asked.handling, waitDays: asked.wait_days };
      const details = { ...rest, addressLines, taxId, tax };
      documentSeries(details.numbering, "invoice", { customerId: "any", year: 2026 });
      const setBy = callerOf(request).actor;
      return sellerAnswer(await inTransaction(db, (tx) => setSeller(tx, details, { setBy, setAt: now() })));
    },
  );
}

function sellerAnswer({ version, details, setBy, setAt }: StoredSeller): z.infer<typeof sellerSchema> {
  const { addressLines, taxId, name, email, website, footer, numbering, tax = usualTaxPolicy } = details;
  return {
    name,
    address_lines: [...addressLines],
    email,
    website,
    tax_id: taxId,
    footer,
    numbering: { ...numbering },
    tax: { handling: tax.handling, wait_days: tax.waitDays },
    version,
    set_by: setBy,
    set_at: isoOf(setAt),
  };
}
