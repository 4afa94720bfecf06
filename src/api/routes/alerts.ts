import type { z } from "zod";
import {
  crossingsOf,
  endAlert,
  findAlert,
  insertAlert,
  listAlerts,
  type StoredAlert,
  type StoredCrossing,
} from "../../db/alerts/alerts.ts";
import { latestFeatures } from "../../db/billing/catalog.ts";
import { findCustomer } from "../../db/billing/customers.ts";
import type { Tx } from "../../db/database.ts";
import { findCap } from "../../db/entitlements/spenders.ts";
import type { AlertSubject } from "../../domain/alerts/index.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { storedDecimal } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idParams, isoOrNull } from "../wire.ts";
import {
  alertInput,
  alertSchema,
  type crossingSchema,
  detailSchema,
  type subjectInput,
} from "./alert-schemas.ts";

type AlertDependencies = Pick<ApiDependencies, "db" | "now">;

const tags = ["Alerts"];

/** What a customer wants to be told about budgets and allowances, by webhook and e-mail. */
export function alertRoutes(api: ApiInstance, deps: AlertDependencies): void {
  setAlert(api, deps);
  getAlerts(api, deps);
  getAlert(api, deps);
  postEnd(api, deps);
}

function setAlert(api: ApiInstance, deps: AlertDependencies): void {
  api.post(
    "/v1/customers/:id/alerts",
    {
      config: {
        scope: "write",
        refusals: [
          "customer_not_found",
          "feature_unknown",
          "spending_cap_not_found",
          "alert_condition_invalid",
        ],
      },
      schema: {
        tags,
        summary: "Be told when a share of a budget or an allowance is used",
        description:
          "Once for each time that it is crossed; it is armed again when less is used, more is allowed, or its window begins anew.",
        params: idParams,
        body: alertInput,
        response: { 201: detailSchema },
      },
    },
    async (request, reply) => {
      const { id: customerId } = request.params;
      const { orm } = deps.db;
      found(await findCustomer(orm, customerId), "customer", customerId);
      const { condition } = request.body;
      const subject = subjectOf(request.body.subject);
      if (condition.type === "forecast" && subject.type === "credit") {
        const message = "credit has no window: be told at a share of it";
        throw new RequestRefusedError("alert_condition_invalid", message, "condition");
      }
      await requireKnown(orm, customerId, subject);
      const id = newId(request, "alr");
      const setAt = await timeOfCustomer(deps, customerId);
      const setBy = callerOf(request).actor;
      await insertAlert(orm, { id, customerId, subject, condition, setBy, setAt });
      return reply.code(201).send(await detailOf(id, deps));
    },
  );
}

function subjectOf(input: z.output<typeof subjectInput>): AlertSubject {
  if (input.type !== "spending") return input;
  return { type: "spending", amountMinor: input.amount_minor.toString(), window: input.window };
}

/** @throws RequestRefusedError when the subject is not there, or is somebody else's */
async function requireKnown(tx: Tx, customerId: string, subject: AlertSubject): Promise<void> {
  if (subject.type === "feature") {
    const known = (await latestFeatures(tx)).some(({ key }) => key === subject.feature);
    if (known) return;
    const message = `there is no feature "${subject.feature}": check the catalog`;
    throw new RequestRefusedError("feature_unknown", message, "subject.feature");
  }
  if (subject.type !== "spending_cap") return;
  const cap = await findCap(tx, subject.cap);
  found(cap?.holder.customerId === customerId ? cap : undefined, "spending_cap", subject.cap);
}

function getAlerts(api: ApiInstance, deps: AlertDependencies): void {
  api.get(
    "/v1/customers/:id/alerts",
    {
      config: { scope: "read", refusals: ["customer_not_found", "cursor_invalid"] },
      schema: {
        tags,
        summary: "List a customer's alerts, the newest first",
        params: idParams,
        querystring: pageQuery,
        response: { 200: listOf(alertSchema) },
      },
    },
    async ({ params: { id }, query }) => {
      found(await findCustomer(deps.db.orm, id), "customer", id);
      const page = await listAlerts(deps.db.orm, id, pageRequest(query, newestFirst));
      return listAnswer(page, newestFirst, alertAnswer);
    },
  );
}

function getAlert(api: ApiInstance, deps: AlertDependencies): void {
  api.get(
    "/v1/alerts/:id",
    {
      config: { scope: "read", refusals: ["alert_not_found"] },
      schema: {
        tags,
        summary: "An alert with what it has told",
        params: idParams,
        response: { 200: detailSchema },
      },
    },
    async ({ params: { id } }) => await detailOf(id, deps),
  );
}

function postEnd(api: ApiInstance, deps: AlertDependencies): void {
  api.post(
    "/v1/alerts/:id/end",
    {
      config: { scope: "write", refusals: ["alert_not_found"] },
      schema: {
        tags,
        summary: "Be told no more",
        description: "Of an alert that has ended already the first end stands.",
        params: idParams,
        response: { 200: detailSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { customerId } = found(await findAlert(deps.db.orm, id), "alert", id);
      const endedAt = await timeOfCustomer(deps, customerId);
      await endAlert(deps.db.orm, { alertId: id, endedBy: callerOf(request).actor, endedAt });
      return await detailOf(id, deps);
    },
  );
}

async function detailOf(id: string, { db }: AlertDependencies): Promise<z.infer<typeof detailSchema>> {
  const stored = found(await findAlert(db.orm, id), "alert", id);
  return { ...alertAnswer(stored), crossings: (await crossingsOf(db.orm, id, 100)).map(crossingAnswer) };
}

function alertAnswer({
  id,
  customerId,
  subject,
  condition,
  ...rest
}: StoredAlert): z.infer<typeof alertSchema> {
  const { setBy, setAt, end } = rest;
  const shown =
    subject.type === "spending"
      ? { type: subject.type, amount_minor: subject.amountMinor, window: { ...subject.window } }
      : subject;
  return {
    ...{ id, customer: customerId, subject: shown, condition, set_by: setBy, set_at: isoOf(setAt) },
    end: end && { ended_by: end.endedBy, ended_at: isoOf(end.endedAt) },
  };
}

const crossingAnswer = (crossing: StoredCrossing): z.infer<typeof crossingSchema> => ({
  number: crossing.number,
  crossed_at: isoOf(crossing.crossedAt),
  window_start: isoOrNull(crossing.windowStart),
  used: storedDecimal(crossing.used).text,
  allowed: storedDecimal(crossing.allowed).text,
  forecast: crossing.forecast === null ? null : storedDecimal(crossing.forecast).text,
  recovered_at: isoOrNull(crossing.recovery?.recoveredAt ?? null),
  recovered_by: crossing.recovery?.cause ?? null,
});
