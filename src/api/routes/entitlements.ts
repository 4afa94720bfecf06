import { z } from "zod";
import { decimal } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { checkEntitlements, listEntitlements } from "../entitlements/check-entitlements.ts";
import { checkAnswer, listAnswerOf } from "../entitlements/entitlement-answers.ts";
import { namedValues } from "../named-values.ts";
import { found } from "../refusals.ts";
import { idInput, idParams, textInput } from "../wire.ts";
import { entitlementCheckSchema, entitlementListSchema } from "./entitlement-schemas.ts";

type EntitlementDependencies = Pick<ApiDependencies, "db" | "now">;

const featuresMax = 20;

const quantityInput = z
  .string()
  .regex(/^\d{1,18}(\.\d{1,12})?$/, { error: 'must be a quantity as a text, zero or more, such as "1"' })
  .transform((text) => decimal(text))
  .describe("How much more of a metered feature, in the meter's unit.")
  .meta({ example: "1" });

const subjectInput = z
  .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/), textInput(200))
  .refine((subject) => Object.keys(subject).length <= 8, { error: "must name at most 8 dimensions" })
  .describe(
    "Whose usage it would be: dimensions of meters, such as the user, and what is used, such as the model.",
  )
  .meta({ example: { user: "u_1", model: "large" } });

const checkInput = z.strictObject({
  customer: idInput,
  subject: subjectInput.default({}),
  features: z
    .array(
      z.strictObject({
        feature: textInput(64),
        quantity: quantityInput.prefault("1"),
        value: textInput(200).optional().describe("Of a setting: what it must allow, such as a model."),
      }),
    )
    .min(1, { error: "must name at least one feature" })
    .max(featuresMax, { error: `must name at most ${featuresMax} features` }),
});

const tags = ["Entitlements"];

export function entitlementRoutes(api: ApiInstance, deps: EntitlementDependencies): void {
  postCheck(api, deps);
  getEntitlements(api, deps);
}

function postCheck(api: ApiInstance, { db, now }: EntitlementDependencies): void {
  api.post(
    "/v1/entitlements/check",
    {
      config: {
        scope: "read",
        repeatable: true,
        isFrequent: true,
        refusals: ["customer_not_found", "feature_unknown"],
      },
      schema: {
        tags,
        summary: "Whether a customer may use features now",
        description:
          "What decided, what is used and left, when it begins anew, who gives it, and what it would cost and who would pay. " +
          "Every event that was accepted before is counted. Nothing is reserved: what is asked twice at once is allowed twice.",
        body: checkInput,
        response: { 200: entitlementCheckSchema },
      },
    },
    async ({ body: { customer: customerId, subject, features } }) => {
      const asked = features.map(({ feature: key, quantity, value }) => ({ key, quantity, value }));
      const checked = await checkEntitlements(db, { customerId, subject, features: asked }, now());
      return checkAnswer(found(checked, "customer", customerId));
    },
  );
}

function getEntitlements(api: ApiInstance, { db, now }: EntitlementDependencies): void {
  api.get(
    "/v1/customers/:id/entitlements",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "All that a customer is given, with what is used of it",
        params: idParams,
        querystring: z.strictObject({
          subject: namedValues
            .optional()
            .describe(
              "Whose usage to show of limits that each has for himself: `user:u_1`. May come several times.",
            ),
        }),
        response: { 200: entitlementListSchema },
      },
    },
    async ({ params: { id }, query: { subject = {} } }) => {
      const listed = await listEntitlements(db, { customerId: id, subject }, now());
      return listAnswerOf(found(listed, "customer", id));
    },
  );
}
