import { findCustomer } from "../../db/billing/customers.ts";
import { KnownPaths } from "../../db/entitlements/known-paths.ts";
import {
  ReservationsBusyError,
  ReservationsUnavailableError,
} from "../../db/entitlements/reservation-writer.ts";
import {
  extendReservation,
  findReservation,
  listReceipts,
  type StoredReservation,
} from "../../db/entitlements/stored-reservations.ts";
import { instantOfEpochMs } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { KnownReservations } from "../reservations/known-reservations.ts";
import {
  receiptAnswer,
  reservationAnswer,
  reservedAnswer,
  settledAnswer,
} from "../reservations/reservation-answers.ts";
import { type ReservationRequest, reserve } from "../reservations/reserve.ts";
import { settle } from "../reservations/settle.ts";
import { idParams } from "../wire.ts";
import {
  extensionInput,
  receiptSchema,
  reservationInput,
  reservationSchema,
  settlementInput,
  userInput,
} from "./reservation-schemas.ts";

type ReservationDependencies = Pick<ApiDependencies, "db" | "now" | "reservations">;

interface Desk extends ReservationDependencies {
  readonly paths: KnownPaths;
  readonly known: KnownReservations;
}

const tags = ["Reservations"];
const hot = { scope: "usage:write", repeatable: true, isFrequent: true } as const;

/** What requests may cost, set aside before they run, and what they did cost. */
export function reservationRoutes(api: ApiInstance, deps: ReservationDependencies): void {
  const desk = { ...deps, paths: new KnownPaths(deps.db), known: new KnownReservations() };
  postReservation(api, desk);
  getReservation(api, desk);
  postSettlement(api, desk);
  postRelease(api, desk);
  postExtension(api, desk);
  getReceipts(api, desk);
}

function postReservation(api: ApiInstance, desk: Desk): void {
  api.post(
    "/v1/reservations",
    {
      config: {
        ...hot,
        refusals: [
          "customer_not_found",
          "price_not_reservable",
          "reservation_id_reused",
          "reservation_not_measured",
          "too_many_requests",
          "usage_event_invalid",
        ],
      },
      schema: {
        tags,
        summary: "Set aside what a request may cost",
        description:
          "All of it, at every level that has a cap, or nothing: `granted` says which, and `denied_by` the level, its limit, what is left and when it " +
          "begins anew. Its prices are those of now, whatever they are when it is settled. Safe to repeat: the same id is the same reservation.",
        body: reservationInput,
        response: { 200: reservationSchema },
      },
    },
    async ({ body }) => {
      const request: ReservationRequest = {
        id: body.id,
        customerId: body.customer,
        user: body.user ?? null,
        purpose: body.purpose ?? null,
        eventType: body.event.type,
        worstCase: body.event.data,
        ttlSeconds: body.ttl_seconds,
      };
      const { paths, reservations: writer, known, db } = desk;
      const reserved = await reserve({ paths, writer }, request, desk.now()).catch(refuse);
      if (reserved.status === "known") return reservationAnswer(await stored(db, body.id));
      if (reserved.status === "placed") known.add(reserved.draft, reserved.path.facts.currency);
      return reservedAnswer(request, reserved);
    },
  );
}

const stored = async ({ orm }: Desk["db"], id: string): Promise<StoredReservation> =>
  found(await findReservation(orm, id), "reservation", id);

function refuse(error: unknown): never {
  if (error instanceof ReservationsBusyError)
    throw new RequestRefusedError("too_many_requests", error.message);
  if (error instanceof ReservationsUnavailableError)
    throw new RequestRefusedError("unavailable", error.message);
  throw error;
}

function getReservation(api: ApiInstance, { db }: Desk): void {
  api.get(
    "/v1/reservations/:id",
    {
      config: { scope: "read", refusals: ["reservation_not_found"] },
      schema: {
        tags,
        summary: "A reservation as it stands",
        params: idParams,
        response: { 200: reservationSchema },
      },
    },
    async ({ params: { id } }) => reservationAnswer(await stored(db, id)),
  );
}

const settling = { ...hot, refusals: ["reservation_not_found", "reservation_settled", "too_many_requests"] };

function postSettlement(api: ApiInstance, desk: Desk): void {
  api.post(
    "/v1/reservations/:id/settle",
    {
      config: {
        ...settling,
        refusals: [...settling.refusals, "reservation_event_refused", "usage_event_invalid"],
      },
      schema: {
        tags,
        summary: "Say what a request used: it costs that, and what it held goes back",
        description:
          "Its usage event is written in the same commit, with the request's id and the time when it was reserved: it is metered and billed once, by the " +
          "prices of then. Also when it had expired: then the receipt is `late`. Safe to repeat.",
        params: idParams,
        body: settlementInput,
        response: { 200: receiptSchema },
      },
    },
    ({ params: { id }, body: { outcome, data } }) => settledReceipt(desk, id, { outcome, used: data }),
  );
}

function postRelease(api: ApiInstance, desk: Desk): void {
  api.post(
    "/v1/reservations/:id/release",
    {
      config: settling,
      schema: {
        tags,
        summary: "Say that a request did not run: what it held goes back",
        params: idParams,
        response: { 200: receiptSchema },
      },
    },
    ({ params: { id } }) => settledReceipt(desk, id, { outcome: "released", used: {} }),
  );
}

async function settledReceipt(
  { db, now, paths, known, reservations: writer }: Desk,
  id: string,
  said: Parameters<typeof settle>[2],
) {
  const reservation = known.find(id) ?? (await stored(db, id));
  const settled = await settle({ paths, writer }, reservation, said, now()).catch(refuse);
  known.forget(id);
  if (settled.status !== "exists") return settledAnswer(reservation, settled);
  const { receipt } = await stored(db, id);
  return receiptAnswer(found(receipt ?? undefined, "reservation", id));
}

function postExtension(api: ApiInstance, { db, now }: Desk): void {
  api.post(
    "/v1/reservations/:id/extend",
    {
      config: { ...hot, refusals: ["reservation_not_found", "reservation_not_open"] },
      schema: {
        tags,
        summary: "Let a request take longer, counted from now; it never takes away time",
        params: idParams,
        body: extensionInput,
        response: { 200: reservationSchema },
      },
    },
    async ({ params: { id }, body: { ttl_seconds } }) => {
      const { customerId } = await stored(db, id);
      const at = await timeOfCustomer({ db, now }, customerId);
      const until = instantOfEpochMs(at + ttl_seconds * 1_000);
      if (!(await extendReservation(db.orm, id, { until, at }))) {
        throw new RequestRefusedError("reservation_not_open", "it was settled, released, or has expired");
      }
      return reservationAnswer(await stored(db, id));
    },
  );
}

function getReceipts(api: ApiInstance, { db }: Desk): void {
  api.get(
    "/v1/customers/:id/receipts",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "What each request of a customer, or of one of its users, used and cost; the newest first",
        params: idParams,
        querystring: pageQuery.extend({ user: userInput.optional() }),
        response: { 200: listOf(receiptSchema) },
      },
    },
    async ({ params: { id: customerId }, query }) => {
      found(await findCustomer(db.orm, customerId), "customer", customerId);
      const of = { customerId, user: query.user };
      const page = await listReceipts(db.orm, of, pageRequest(query, newestFirst));
      return listAnswer(page, newestFirst, receiptAnswer);
    },
  );
}
