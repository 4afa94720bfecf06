import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import { listRecurring, recurringStatuses } from "../../db/billing/recurring-grants.ts";
import type { ApiInstance } from "../api-instance.ts";
import { customerTimes, timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { idParams } from "../wire.ts";
import { recurringGrantAnswer, recurringGrantSchema } from "./recurring-grant-schemas.ts";

const tags = ["Credits"];
const querystring = pageQuery.extend({ status: z.enum(recurringStatuses).optional() });
const response = { 200: listOf(recurringGrantSchema) };

/** Credit that is given again and again: to one customer, and to all, for whoever decides about what waits. */
export function recurringGrantListRoutes(api: ApiInstance, deps: ApiDependencies): void {
  listOfCustomer(api, deps);
  listOfAll(api, deps);
}

function listOfCustomer(api: ApiInstance, deps: ApiDependencies): void {
  api.get(
    "/v1/customers/:id/recurring-credit-grants",
    {
      config: { scope: "read", refusals: ["customer_not_found", "cursor_invalid"] },
      schema: {
        tags,
        summary: "List what a customer is given again and again, the newest first",
        params: idParams,
        querystring,
        response,
      },
    },
    async ({ params: { id: customerId }, query: asked }) => {
      found(await findCustomer(deps.db.orm, customerId), "customer", customerId);
      const filter = { customerId, status: asked.status };
      const page = await listRecurring(deps.db.orm, filter, pageRequest(asked, newestFirst));
      const now = await timeOfCustomer(deps, customerId);
      return listAnswer(page, newestFirst, (stored) => recurringGrantAnswer(stored, now));
    },
  );
}

function listOfAll(api: ApiInstance, deps: ApiDependencies): void {
  const timesOf = customerTimes(deps);
  api.get(
    "/v1/recurring-credit-grants",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List what customers are given again and again, the newest first",
        querystring,
        response,
      },
    },
    async ({ query: asked }) => {
      const page = await listRecurring(
        deps.db.orm,
        { status: asked.status },
        pageRequest(asked, newestFirst),
      );
      const times = await timesOf(() => page.items.map(({ customerId }) => customerId));
      return listAnswer(page, newestFirst, (stored) =>
        recurringGrantAnswer(stored, times.get(stored.customerId) ?? deps.now()),
      );
    },
  );
}
