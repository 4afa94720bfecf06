import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type AccountRef,
  AccountRefInvalidError,
  accountKey,
  accountRefOfKey,
  deferredRevenue,
  prepaidCredits,
  stripeBalance,
} from "../../../src/domain/ledger/index.ts";
import { currency } from "../../../src/domain/money/index.ts";

const usd = currency("usd");

test.each([
  { ref: stripeBalance(usd), key: "1000/usd" },
  { ref: prepaidCredits("acme", "g1", usd), key: "2000/usd/customer=acme/grant=g1" },
  { ref: deferredRevenue("acme", "sub_1", usd), key: "2100/usd/customer=acme/subscription=sub_1" },
  { ref: prepaidCredits("a/b=c%", "g", usd), key: "2000/usd/customer=a%2Fb%3Dc%25/grant=g" },
])("$key names its account", ({ ref, key }) => {
  expect(accountKey(ref)).toBe(key);
  expect(accountRefOfKey(key)).toEqual(ref);
});

test.each([
  { ref: { code: "2000", currency: usd, customerId: "acme" }, why: "the grant is missing" },
  { ref: { code: "1000", currency: usd, customerId: "acme" }, why: "there is one Stripe balance" },
  { ref: { code: "1100", currency: usd, grantId: "g1" }, why: "receivables are per customer" },
  { ref: { code: "1100", currency: usd, customerId: "" }, why: "an empty name is none" },
  { ref: { code: "1100", currency: usd, customerId: "a\0b" }, why: "NUL cannot be stored" },
  { ref: { code: "1100", currency: usd, customerId: "\ud800" }, why: "half a character is none" },
] satisfies { ref: AccountRef; why: string }[])("no key for $ref: $why", ({ ref }) => {
  expect(() => accountKey(ref)).toThrow(AccountRefInvalidError);
});

test.each([
  { key: "7777/usd", why: "no such code" },
  { key: "2000/usd/grant=g1/customer=acme", why: "names are sorted" },
  { key: "1100/usd/customer=a=b", why: "= is escaped" },
  { key: "1100/usd", why: "the customer is missing" },
  { key: "1000/usd/customer=acme", why: "too many names" },
])("$key is no key: $why", ({ key }) => {
  expect(() => accountRefOfKey(key)).toThrow(AccountRefInvalidError);
});

test("any ids come back as they were, and different accounts have different keys", () => {
  const anyId = fc.string({ unit: "binary", minLength: 1 }).filter((id) => !id.includes("\0"));
  fc.assert(
    fc.property(anyId, anyId, anyId, anyId, (customer, grant, otherCustomer, otherGrant) => {
      const ref = prepaidCredits(customer, grant, usd);
      const other = prepaidCredits(otherCustomer, otherGrant, usd);
      expect(accountRefOfKey(accountKey(ref))).toEqual(ref);
      expect(accountKey(ref) === accountKey(other)).toBe(customer === otherCustomer && grant === otherGrant);
    }),
  );
});
