import { invariant } from "../../domain/errors.ts";

/**
 * Who may do what: verbs on resources, for each role, and for the scopes of keys by the same words. This table is all
 * there is: every route is looked up in it, and docs/access.md shows it.
 */

/** `operate` runs what is under way, `approve` agrees to what others ask for, `admin` settles what others work with. */
export const verbs = ["read", "write", "operate", "approve", "admin"] as const;
export type Verb = (typeof verbs)[number];

export const roles = ["viewer", "support", "finance", "product", "operator", "admin"] as const;
export type Role = (typeof roles)[number];

/** First letters of verbs; `m` is `admin`. */
const letters: Readonly<Record<string, Verb>> = {
  r: "read",
  w: "write",
  o: "operate",
  a: "approve",
  m: "admin",
};

/** To agree to what others ask for is no admin's by itself: who may do that is named. */
const admin = "rwom";

// biome-ignore format: a table
const table = {
  //                viewer  support  finance  product  operator  admin
  "api-keys":      ["-",    "-",     "-",     "-",     "-",      admin],
  audit:           ["-",    "-",     "r",     "-",     "r",      admin],
  calculators:     ["r",    "r",     "r",     "r",     "r",      admin],
  cases:           ["r",    "rw",    "rw",    "r",     "rwo",    admin],
  catalog:         ["r",    "r",     "r",     "rwm",   "r",      admin],
  corrections:     ["r",    "rw",    "rwa",   "r",     "rw",     admin],
  "credit-notes":  ["r",    "rw",    "rwa",   "r",     "r",      admin],
  credits:         ["r",    "rw",    "rwa",   "r",     "r",      admin],
  customers:       ["r",    "rw",    "rw",    "r",     "r",      admin],
  dunning:         ["r",    "rw",    "rw",    "r",     "rw",     admin],
  entitlements:    ["r",    "rw",    "r",     "rw",    "r",      admin],
  invoices:        ["r",    "r",     "rwa",   "r",     "r",      admin],
  ledger:          ["r",    "r",     "rwm",   "r",     "r",      admin],
  notices:         ["r",    "rw",    "r",     "r",     "rw",     admin],
  operations:      ["r",    "r",     "r",     "r",     "rwo",    admin],
  payments:        ["r",    "rw",    "rw",    "r",     "r",      admin],
  people:          ["-",    "-",     "-",     "-",     "-",      admin],
  portal:          ["-",    "rw",    "r",     "-",     "-",      admin],
  promotions:      ["r",    "rw",    "rwa",   "rwm",   "r",      admin],
  refunds:         ["r",    "rw",    "rwa",   "r",     "r",      admin],
  reports:         ["r",    "r",     "rw",    "rw",    "r",      admin],
  seller:          ["r",    "r",     "rwm",   "r",     "r",      admin],
  spending:        ["r",    "rw",    "rw",    "r",     "r",      admin],
  subscriptions:   ["r",    "rw",    "rw",    "r",     "r",      admin],
  tax:             ["r",    "r",     "rw",    "r",     "r",      admin],
  "test-clocks":   ["r",    "r",     "r",     "rw",    "rw",     admin],
  usage:           ["r",    "r",     "r",     "r",     "rw",     admin],
  webhooks:        ["r",    "r",     "r",     "r",     "rwm",    admin],
} as const;

export type Resource = keyof typeof table;
export const resources = Object.keys(table) as readonly Resource[];

/** A cell of the matrix. */
export interface Permission {
  readonly resource: Resource;
  readonly verb: Verb;
}

/** What each role may do with a resource. */
export function verbsOf(role: Role, resource: Resource): readonly Verb[] {
  const cell: string = table[resource][roles.indexOf(role)] ?? "";
  return [...cell].flatMap((letter) => letters[letter] ?? []);
}

/** What may be given to keys beside verbs for everything: a cell each. */
export const scopeOf = ({ resource, verb }: Permission): string => `${resource}:${verb}`;

export const isRole = (text: string): text is Role => roles.some((role) => role === text);

export const isVerb = (text: string): text is Verb => verbs.some((verb) => verb === text);

/** Whether a text is a scope: a verb, or a cell. */
export function isScope(text: string): boolean {
  const [resource = "", verb = "", ...more] = text.split(":");
  return isVerb(text) || (more.length === 0 && resource in table && isVerb(verb));
}

export const rolesAllow = (held: readonly Role[], { resource, verb }: Permission): boolean =>
  held.some((role) => verbsOf(role, resource).includes(verb));

/** The verbs that a scope for everything brings with it; `approve` is in no other. */
const included: Readonly<Record<Verb, readonly Verb[]>> = {
  read: ["read"],
  write: ["write", "read"],
  operate: ["operate", "read"],
  approve: ["approve", "read"],
  admin: ["admin", "write", "read", "operate"],
};

export const scopesAllow = (held: readonly string[], permission: Permission): boolean =>
  held.some((scope) =>
    isVerb(scope) ? included[scope].includes(permission.verb) : scope === scopeOf(permission),
  );

/**
 * Which resource the paths below `/v1/` are about, by their fixed segments; the longest entry that a path begins with counts.
 * Whoever adds a path that none of them fits adds its entry here, and thereby decides who may use it.
 */
const resourceByPath: Readonly<Record<string, Resource>> = {
  adjustments: "credits",
  alerts: "notices",
  anomalies: "cases",
  "api-keys": "api-keys",
  "audit-events": "audit",
  calculate: "calculators",
  campaigns: "promotions",
  cases: "cases",
  catalog: "catalog",
  "checkout-sessions": "payments",
  coupons: "promotions",
  "credit-grants": "credits",
  "credit-notes": "credit-notes",
  customers: "customers",
  "customers/alerts": "notices",
  "customers/balance-adjustments": "credits",
  "customers/balances": "ledger",
  "customers/credit-balance": "credits",
  "customers/credit-grants": "credits",
  "customers/credit-purchases": "credits",
  "customers/dunning": "dunning",
  "customers/dunning-policy": "dunning",
  "customers/edge-cut-offs": "entitlements",
  "customers/entitlements": "entitlements",
  "customers/entries": "ledger",
  "customers/feature-grants": "entitlements",
  "customers/grant-holders": "spending",
  "customers/notice-preferences": "notices",
  "customers/payment-methods": "payments",
  "customers/portal-sessions": "payments",
  "customers/portal-tokens": "portal",
  "customers/receipts": "spending",
  "customers/recurring-credit-grants": "credits",
  "customers/redemptions": "promotions",
  "customers/setup-sessions": "payments",
  "customers/spender-placements": "spending",
  "customers/spending-caps": "spending",
  "customers/statement": "ledger",
  "customers/tax": "tax",
  "customers/tax-lines": "tax",
  "customers/top-up-rules": "credits",
  "customers/usage": "usage",
  disputes: "payments",
  "draft-invoices": "invoices",
  "draft-invoices/tax-lines": "tax",
  entitlements: "entitlements",
  events: "usage",
  "feature-grants": "entitlements",
  invoices: "invoices",
  "invoices/credit-notes": "credit-notes",
  "invoices/dunning": "dunning",
  "invoices/entries": "ledger",
  "invoices/refunds": "refunds",
  ledger: "ledger",
  "meter-backfills": "catalog",
  meters: "catalog",
  "notice-deliveries": "webhooks",
  notices: "notices",
  operations: "operations",
  payouts: "payments",
  people: "people",
  plans: "catalog",
  "portal-tokens": "portal",
  "recurring-credit-grants": "credits",
  referrals: "promotions",
  refunds: "refunds",
  reports: "reports",
  reservations: "spending",
  search: "customers",
  seller: "seller",
  session: "customers",
  sessions: "people",
  "spending-caps": "spending",
  "stripe-events": "operations",
  "stripe-meters": "operations",
  subscriptions: "subscriptions",
  "test-clocks": "test-clocks",
  "top-up-rules": "credits",
  usage: "usage",
  "usage/backfills": "corrections",
  "usage/corrections": "corrections",
  "webhook-endpoints": "webhooks",
};

/** `/v1/customers/:id/usage/watermarks` → usage. Undefined: no entry fits. */
export function resourceOf(path: string): Resource | undefined {
  const fixed = path
    .split("/")
    .filter((segment) => segment !== "" && segment !== "v1" && !/^[:{]/.test(segment));
  const [first = "", second = ""] = fixed.map((segment) => segment.replace(/\.(html|pdf)$/, ""));
  return resourceByPath[`${first}/${second}`] ?? resourceByPath[first];
}

/**
 * The cell that a route asks for: its resource by its path, its verb by its `scope`; a scope such as `usage:write` names both.
 * @throws InvariantError for a route without an entry, when the API is built
 */
export function permissionOf(route: string, path: string, scope: string | undefined): Permission {
  invariant(scope !== undefined, `${route} says which scope it needs`);
  const [named = "", verb = named] = scope.split(":");
  const resource = verb === named ? resourceOf(path) : resources.find((one) => one === named);
  invariant(resource !== undefined, `${route} has a resource in src/api/access/permissions.ts`);
  invariant(isVerb(verb), `the scope of ${route} ends with a verb`);
  return { resource, verb };
}
