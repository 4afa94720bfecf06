import type { FastifyRequest } from "fastify";
import { isOwnedCollection, ownerOf, portalTokenBehind } from "../../db/portal-tokens.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { RequestRefusedError } from "../refusals.ts";
import { idPattern } from "../wire.ts";
import type { PortalCaller } from "./caller.ts";
import { newSecret, secretHashOf } from "./session-secret.ts";

const secretStart = "rp_";

export const newPortalSecret = (): string => secretStart + newSecret();
export const isPortalSecret = (secret: string): boolean => secret.startsWith(secretStart);

/** Finds the customer behind a token for their own pages. */
export async function customerBehind(
  { db, now }: Pick<ApiDependencies, "db" | "now">,
  secret: string,
): Promise<PortalCaller> {
  const token = await portalTokenBehind(db.orm, secretHashOf(secret));
  if (token === undefined || token.revokedAt !== null || token.expiresAt <= now()) {
    throw new RequestRefusedError(
      "portal_token_invalid",
      "this token does not exist, or has ended: ask for a new one",
    );
  }
  return { kind: "portal", id: token.id, actor: `portal/${token.id}`, customerId: token.customerId };
}

const reads = (...paths: readonly string[]): [string, readonly string[]][] =>
  paths.map((path) => [`GET ${path}`, []]);

/**
 * What customers may do on their own pages, and with which fields of a body; anything else is refused. Fields that would change
 * what something costs, when it counts from, or what is handed back, are not the customer's to say.
 */
export const portalRoutes: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ...reads(
    "/v1/customers/:id",
    "/v1/customers/:id/usage",
    "/v1/customers/:id/usage/watermarks",
    "/v1/customers/:id/entitlements",
    "/v1/customers/:id/credit-grants",
    "/v1/customers/:id/credit-balance",
    "/v1/customers/:id/receipts",
    "/v1/customers/:id/spending-caps",
    "/v1/customers/:id/payment-methods",
    "/v1/customers/:id/notice-preferences",
    "/v1/credit-grants/:id",
    "/v1/credit-notes",
    "/v1/credit-notes/:id",
    "/v1/credit-notes/:id/document",
    "/v1/credit-notes/:id/document.html",
    "/v1/credit-notes/:id/document.pdf",
    "/v1/invoices",
    "/v1/invoices/:id",
    "/v1/invoices/:id/explain",
    "/v1/invoices/:id/document",
    "/v1/invoices/:id/document.html",
    "/v1/invoices/:id/document.pdf",
    "/v1/plans/:key",
    "/v1/subscriptions",
    "/v1/subscriptions/:id",
    "/v1/subscriptions/:id/scheduled-changes",
    "/v1/subscriptions/:id/upcoming-invoice",
    "/v1/subscriptions/:id/upcoming-invoice.html",
    "/v1/subscriptions/:id/upcoming-invoice.pdf",
  ),
  ["POST /v1/customers/:id/payment-methods", ["token"]],
  ["PUT /v1/customers/:id/notice-preferences", ["suppressed_kinds"]],
  ["POST /v1/customers/:id/spending-caps", ["amount_minor", "window", "spender", "each_user", "reason"]],
  ["POST /v1/subscriptions/:id/change-preview", ["kind", "plan", "seats"]],
  ["POST /v1/subscriptions/:id/change-plan", ["plan", "seats", "when", "preview"]],
  ["POST /v1/subscriptions/:id/change-quantity", ["seats", "when", "preview"]],
  ["POST /v1/subscriptions/:id/cancel", ["when", "preview"]],
  ["POST /v1/subscriptions/:id/uncancel", []],
]);

/** What is anybody's: the price list. */
const isShared = (path: string): boolean => path.startsWith("/v1/plans/");

/** Refuses a customer's token what is not listed, whatever is asked for. */
export function requireListed(route: string): void {
  if (!portalRoutes.has(route)) throw refused("a customer's own pages may not do this");
}

/**
 * Refuses a customer's token fields that are not listed, and what is not that customer's. Whether it exists is not told.
 * @param route method and path, as in `GET /v1/invoices/:id`
 */
export async function requireOwn(
  { db }: Pick<ApiDependencies, "db">,
  { customerId }: PortalCaller,
  route: string,
  request: FastifyRequest,
): Promise<void> {
  const fields = portalRoutes.get(route) ?? [];
  const body = Object.keys((request.body ?? {}) as object);
  const foreign = body.find((field) => !fields.includes(field));
  if (foreign !== undefined) throw refused("this field is not the customer's to say", foreign);
  const path = route.slice(route.indexOf(" ") + 1);
  if (!isShared(path) && (await customerOf(db, path, request)) !== customerId) {
    throw refused("this is not this customer's, or is not there");
  }
}

/** Of a list by the customer it is asked for, of anything else by its id. */
async function customerOf(
  db: ApiDependencies["db"],
  path: string,
  { params, query }: FastifyRequest,
): Promise<string | undefined> {
  const [, , collection = ""] = path.split("/");
  const { id } = params as { id?: string };
  if (id === undefined) return (query as { customer?: string }).customer;
  return isOwnedCollection(collection) && idPattern.test(id) ? ownerOf(db.orm, collection, id) : undefined;
}

const refused = (message: string, field?: string) =>
  new RequestRefusedError("portal_refused", message, field);
