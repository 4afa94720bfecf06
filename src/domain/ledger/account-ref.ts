import { BillingError } from "../errors.ts";
import { type Currency, currency } from "../money/index.ts";
import { type AccountCode, chartAccount, type DimensionName, isAccountCode } from "./chart-of-accounts.ts";

/** Names one account: its code, its currency and what tells it apart from others of that code. */
export interface AccountRef {
  readonly code: AccountCode;
  readonly currency: Currency;
  readonly customerId?: string;
  readonly disputeId?: string;
  readonly grantId?: string;
  readonly jurisdiction?: string;
  readonly productKey?: string;
  readonly purchaseId?: string;
  readonly refundId?: string;
  readonly subscriptionId?: string;
}

export class AccountRefInvalidError extends BillingError {
  readonly code = "account_ref_invalid";
}

type DimensionField = Exclude<keyof AccountRef, "code" | "currency">;

const fieldOf = {
  customer: "customerId",
  dispute: "disputeId",
  grant: "grantId",
  jurisdiction: "jurisdiction",
  product: "productKey",
  purchase: "purchaseId",
  refund: "refundId",
  subscription: "subscriptionId",
} as const satisfies Record<DimensionName, DimensionField>;

const dimensionFields: readonly DimensionField[] = Object.values(fieldOf);

/**
 * The account's one canonical spelling, `2000/usd/customer=acme/grant=g1`: names sorted; "%", "/" and "=" in
 * values written %25, %2F and %3D.
 * @throws AccountRefInvalidError unless the dimensions are exactly those of the code in the chart, with non-empty values
 */
export function accountKey(ref: AccountRef): string {
  const { dimensions } = chartAccount(ref.code);
  const given = dimensionFields.filter((field) => ref[field] !== undefined);
  if (given.length !== dimensions.length) throw wrongDimensions(ref.code);
  const parts = dimensions.map((name) => `${name}=${escaped(dimensionValue(ref, name))}`);
  return [ref.code, ref.currency, ...parts].join("/");
}

/** The reverse of {@link accountKey}. @throws AccountRefInvalidError for anything that is not canonical */
export function accountRefOfKey(key: string): AccountRef {
  const [code = "", currencyCode = "", ...parts] = key.split("/");
  if (!isAccountCode(code))
    throw new AccountRefInvalidError(`${JSON.stringify(key)} is not an account's key`);
  const values = new Map(parts.map((part) => [part.split("=")[0], part.slice(part.indexOf("=") + 1)]));
  const named = chartAccount(code).dimensions.map((name) => [
    fieldOf[name],
    unescaped(values.get(name) ?? ""),
  ]);
  const ref: AccountRef = { code, currency: currency(currencyCode), ...Object.fromEntries(named) };
  if (accountKey(ref) !== key)
    throw new AccountRefInvalidError(`${JSON.stringify(key)} is not an account's key`);
  return ref;
}

/** The dimensions of an account in the chart's order, such as `[["customer", "acme"], ["grant", "g1"]]`. */
export function accountDimensions(ref: AccountRef): readonly (readonly [DimensionName, string])[] {
  return chartAccount(ref.code).dimensions.map((name) => [name, dimensionValue(ref, name)]);
}

function dimensionValue(ref: AccountRef, name: DimensionName): string {
  const value = ref[fieldOf[name]];
  // PostgreSQL's text has no place for NUL or half a surrogate pair.
  if (value === undefined || value === "" || value.includes("\0") || !value.isWellFormed())
    throw wrongDimensions(ref.code);
  return value;
}

function wrongDimensions(code: AccountCode): AccountRefInvalidError {
  const names = chartAccount(code).dimensions.map((name) => fieldOf[name]);
  return new AccountRefInvalidError(
    `an account ${code} is named by ${names.join(" and ") || "nothing more"}`,
  );
}

function escaped(value: string): string {
  return value.replaceAll("%", "%25").replaceAll("/", "%2F").replaceAll("=", "%3D");
}

function unescaped(value: string): string {
  return value.replaceAll("%3D", "=").replaceAll("%2F", "/").replaceAll("%25", "%");
}
