import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { freshnessMs } from "../../db/entitlements/change-tail.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import { decimal } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { holdsUntil } from "../entitlements/answer-holds.ts";
import {
  type CheckedCustomer,
  checkEntitlements,
  listEntitlements,
} from "../entitlements/check-entitlements.ts";
import { checkAnswer, listAnswerOf } from "../entitlements/entitlement-answers.ts";
import { FollowedChanges } from "../entitlements/followed-changes.ts";
import { type Asking, RememberedAnswers } from "../entitlements/remembered-answers.ts";
import { namedValues } from "../named-values.ts";
import { found } from "../refusals.ts";
import { idInput, idParams, textInput } from "../wire.ts";
import { edgeCutOffRoutes } from "./edge-cut-offs.ts";
import { entitlementCheckSchema, entitlementListSchema } from "./entitlement-schemas.ts";
import { entitlementSnapshotRoutes } from "./entitlement-snapshots.ts";

type EntitlementDependencies = Pick<ApiDependencies, "db" | "now" | "entitlementKeys">;

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
  max_age_ms: z
    .int()
    .min(0)
    .max(freshnessMs)
    .default(0)
    .describe(
      "How old an answer may be that is given from memory: what was committed before that is in it. 0: it is asked for anew.",
    ),
});

const tags = ["Entitlements"];

export async function entitlementRoutes(api: ApiInstance, deps: EntitlementDependencies): Promise<void> {
  const changes = new FollowedChanges();
  api.addHook("onListen", async () => changes.start(deps.db));
  api.addHook("onClose", async () => changes.close());
  // In a scope of its own, because here a question that is remembered is answered by its text, before it is parsed.
  await api.register(async (scope: ApiInstance) => postCheck(scope, deps, changes));
  getEntitlements(api, deps);
  entitlementSnapshotRoutes(api, deps, changes);
  edgeCutOffRoutes(api, deps);
}

/** A question on its way: its text, and until when its answer may be remembered, once that is known. */
interface Question {
  readonly text: string;
  readonly asking: Asking;
  answered?: { readonly customerId: string; readonly until: Instant; readonly ageMsMax: number };
}

/** Answers what is remembered before anything else is done, and remembers what is answered. */
function answerFromMemory(
  api: ApiInstance,
  { now }: Pick<EntitlementDependencies, "now">,
  changes: FollowedChanges,
) {
  const memory = new RememberedAnswers(changes);
  const questions = new WeakMap<FastifyRequest, Question>();
  const parse = api.getDefaultJsonParser("error", "error");
  api.removeContentTypeParser("application/json");
  api.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    const text = String(body);
    const known = memory.find(text, now());
    if (known !== undefined) return done(null, new KnownAnswer(known));
    questions.set(request, { text, asking: memory.ask() });
    return parse(request, text, done);
  });
  api.addHook("preValidation", async ({ body }, reply) => {
    if (body instanceof KnownAnswer) return sendJson(reply, body.text);
  });
  api.addHook("onSend", async (request, { statusCode }, payload) => {
    const { text, asking, answered } = questions.get(request) ?? {};
    if (statusCode !== 200 || asking === undefined || answered === undefined || text === undefined) return;
    if (typeof payload === "string") memory.keep(asking, text, { ...answered, text: payload });
  });
  return (request: FastifyRequest, checked: CheckedCustomer, ageMsMax: number) => {
    const question = questions.get(request);
    const until = holdsUntil(checked);
    if (question === undefined || until === null || ageMsMax === 0) return;
    question.answered = { customerId: checked.facts.customerId, until, ageMsMax };
  };
}

class KnownAnswer {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const sendJson = (reply: FastifyReply, text: string) =>
  reply.type("application/json; charset=utf-8").send(text);

function postCheck(api: ApiInstance, deps: EntitlementDependencies, changes: FollowedChanges): void {
  const remember = answerFromMemory(api, deps, changes);
  const { db, now } = deps;
  api.post(
    "/v1/entitlements/check",
    {
      config: {
        scope: "read",
        repeatable: true,
        isFrequent: true,
        keyRememberedMs: freshnessMs,
        refusals: ["customer_not_found", "feature_unknown"],
      },
      schema: {
        tags,
        summary: "Whether a customer may use features now",
        description:
          "What decided, what is used and left, when it begins anew, who gives it, and what it would cost and who would pay. " +
          "Every event that was accepted before is counted, or, with `max_age_ms`, that long before. Nothing is reserved: what is asked twice at once is allowed twice.",
        body: checkInput,
        response: { 200: entitlementCheckSchema },
      },
    },
    async (request) => {
      const { customer: customerId, subject, features, max_age_ms } = request.body;
      const asked = features.map(({ feature: key, quantity, value }) => ({ key, quantity, value }));
      const question = { customerId, subject, features: asked };
      const checked = found(await checkEntitlements(db, question, now()), "customer", customerId);
      remember(request, checked, max_age_ms);
      return checkAnswer(checked);
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
