import { z } from "zod";
import { accessOfCustomer } from "../../db/billing/access.ts";
import {
  type CustomerStanding,
  findCustomer,
  insertCustomer,
  listCustomers,
  type NewCustomer,
  renameCustomer,
  type StoredCustomer,
  standingsOf,
} from "../../db/billing/customers.ts";
import { findTestClock } from "../../db/billing/test-clocks.ts";
import { inTransaction, type Tx } from "../../db/database.ts";
import { publishedMeters } from "../../db/usage/meters-in-force.ts";
import { replayQuarantined } from "../../db/usage/usage-quarantine.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { subscriptionStatuses } from "../../domain/lifecycle/index.ts";
import { accessAnswer } from "../access-answer.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, NotFoundError, RequestRefusedError } from "../refusals.ts";
import {
  currencyInput,
  currencyText,
  idInput,
  idParams,
  instantText,
  minorText,
  textInput,
  timeZoneInput,
} from "../wire.ts";
import { accessSchema } from "./dunning-schemas.ts";
import { paymentMethodAnswer, paymentMethodSchema } from "./payment-methods.ts";
import { giveOnSignUp } from "./redemptions.ts";

const customerSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    currency: currencyText,
    time_zone: z.string().meta({ example: "UTC" }),
    test_clock: z.string().nullable().describe("The clock this customer lives on; null for real time."),
    payment_method: paymentMethodSchema.nullable(),
    created_at: instantText,
  })
  .meta({ id: "Customer" });

const customerDetailSchema = customerSchema.extend({ access: accessSchema }).meta({ id: "CustomerDetail" });

const customerOverviewSchema = customerSchema
  .extend({
    open_balance_minor: minorText.describe("What is left to pay of open invoices."),
    subscriptions: z.array(
      z.object({
        id: z.string(),
        status: z.enum(subscriptionStatuses),
        items: z.array(z.object({ plan: z.string(), plan_version: z.int(), seats: z.int() })),
      }),
    ),
  })
  .meta({ id: "CustomerOverview" });

const customersQuery = pageQuery.extend({
  search: textInput(200).optional().describe("Part of an id, a name or an e-mail address."),
  status: z.enum(subscriptionStatuses).optional().describe("Only those with a subscription in this state."),
});

const emailInput = z
  .string()
  .regex(z.regexes.email, { error: "must be an e-mail address" })
  .max(254, { error: "must be at most 254 characters long" })
  .meta({ format: "email" });

const customerInput = z.strictObject({
  id: idInput.optional().describe("Your own id for this customer; one is made when it is left out."),
  name: textInput(200),
  email: emailInput,
  currency: currencyInput.describe("All of this customer's money, for good: a lower-case ISO 4217 code."),
  time_zone: timeZoneInput.default("UTC"),
  test_clock: idInput.optional().describe("The id of a test clock, for good."),
});

const customerChange = z
  .strictObject({ name: textInput(200).optional(), email: emailInput.optional() })
  .refine(({ name, email }) => name !== undefined || email !== undefined, {
    error: "has nothing to change: give a name or an email",
  });

const tags = ["Customers"];

export function customerRoutes(api: ApiInstance, deps: ApiDependencies): void {
  createCustomer(api, deps);
  getCustomer(api, deps);
  getCustomers(api, deps);
  patchCustomer(api, deps);
}

function createCustomer(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/customers",
    {
      config: {
        scope: "write",
        refusals: ["customer_exists", "test_clock_not_found", "test_clocks_refused"],
      },
      schema: {
        tags,
        summary: "Create a customer",
        description:
          "Creating a customer again with the same id and the same values answers with the one there is.",
        body: customerInput,
        response: { 201: customerSchema },
      },
    },
    async (request, reply) => {
      const {
        id = newId(request, "cus"),
        test_clock: testClockId = null,
        time_zone: timeZone,
        ...rest
      } = request.body;
      const createdAt = await timeOn(testClockId, deps);
      const wanted: NewCustomer = { ...rest, id, timeZone, testClockId, createdAt };
      const stored = found(await inTransaction(deps.db, (tx) => admit(tx, wanted)), "customer", id);
      if (!isSame(stored, wanted)) {
        const message = `there is a customer "${id}" with other values: choose another id, or change that one`;
        throw new RequestRefusedError("customer_exists", message, "id");
      }
      return reply.code(201).send(customerAnswer(await giveOnSignUp(request, deps, stored)));
    },
  );
}

/** A customer with the usage that came before they did: it has waited for them and counts from now on. */
async function admit(tx: Tx, wanted: NewCustomer): Promise<StoredCustomer | undefined> {
  const stored = await insertCustomer(tx, wanted);
  await replayQuarantined(tx, { customerId: wanted.id, meters: await publishedMeters(tx) });
  return stored;
}

/** What time it is for a customer who will live on this clock. */
async function timeOn(
  testClockId: string | null,
  { db, now, testClocks }: ApiDependencies,
): Promise<Instant> {
  if (testClockId === null) return now();
  if (!testClocks.areAllowed) {
    const message = "this deployment has no test clocks: leave test_clock out";
    throw new RequestRefusedError("test_clocks_refused", message, "test_clock");
  }
  const clock = await findTestClock(db.orm, testClockId);
  if (clock === undefined) throw new NotFoundError("test_clock", testClockId);
  return clock.currentAt;
}

const isSame = (stored: StoredCustomer, wanted: NewCustomer) =>
  (["name", "email", "currency", "timeZone", "testClockId"] as const).every(
    (name) => stored[name] === wanted[name],
  );

function getCustomer(api: ApiInstance, deps: ApiDependencies): void {
  const { db } = deps;
  api.get(
    "/v1/customers/:id",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: { tags, summary: "A customer", params: idParams, response: { 200: customerDetailSchema } },
    },
    async ({ params: { id } }) => {
      const customer = found(await findCustomer(db.orm, id), "customer", id);
      const access = await accessOfCustomer(db.orm, id, await timeOfCustomer(deps, id));
      return { ...customerAnswer(customer), access: accessAnswer(access) };
    },
  );
}

function getCustomers(api: ApiInstance, { db, now }: ApiDependencies): void {
  api.get(
    "/v1/customers",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List customers with what they owe and subscribe to, the newest first",
        querystring: customersQuery,
        response: { 200: listOf(customerOverviewSchema) },
      },
    },
    async ({ query }) => {
      const page = await listCustomers(db.orm, query, pageRequest(query, newestFirst));
      const ids = page.items.map(({ id }) => id);
      const standings = await standingsOf(db.orm, ids, now());
      return listAnswer(page, newestFirst, (stored) => overviewAnswer(stored, standings.get(stored.id)));
    },
  );
}

function overviewAnswer(stored: StoredCustomer, standing: CustomerStanding | undefined) {
  const subscriptions = standing?.subscriptions ?? [];
  return {
    ...customerAnswer(stored),
    open_balance_minor: standing?.openMinor ?? "0",
    subscriptions: subscriptions.map(({ id, status, items }) => ({
      id,
      status,
      items: items.map(({ planKey, planVersion, seats }) => ({
        plan: planKey,
        plan_version: planVersion,
        seats,
      })),
    })),
  };
}

function patchCustomer(api: ApiInstance, { db }: ApiDependencies): void {
  api.patch(
    "/v1/customers/:id",
    {
      config: { scope: "write", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "Change a customer's name or e-mail address",
        params: idParams,
        body: customerChange,
        response: { 200: customerSchema },
      },
    },
    async ({ params: { id }, body }) =>
      customerAnswer(found(await renameCustomer(db.orm, id, body), "customer", id)),
  );
}

function customerAnswer(stored: StoredCustomer): z.infer<typeof customerSchema> {
  const { id, name, email, currency, timeZone, testClockId, paymentMethod, createdAt } = stored;
  return {
    id,
    name,
    email,
    currency,
    time_zone: timeZone,
    test_clock: testClockId,
    payment_method: paymentMethod && paymentMethodAnswer(paymentMethod),
    created_at: isoOf(createdAt),
  };
}
