import { describe, expect, test } from "vitest";
import {
  type Adjustment,
  adjustmentEntry,
  type CorrectedMoney,
  type Correction,
  correctionOf,
  type GrantStanding,
  obstacleTo,
} from "../../../src/domain/adjustments/index.ts";
import { instant } from "../../../src/domain/calendar/index.ts";
import { postingText } from "../../../src/domain/ledger/index.ts";
import { currency, decimal, ledgerAmountOfExact } from "../../../src/domain/money/index.ts";

const usd = currency("usd");
const now = instant("2026-03-01T00:00:00Z");
const cents = (text: string) => ledgerAmountOfExact(decimal(text));

const adjusting = (correction: Correction): Adjustment => ({
  id: "adj_1",
  customerId: "acme",
  currency: usd,
  correction,
  reasonCode: "goodwill",
  reason: null,
});

const ofGrant = { grantId: "g", grantKind: "promotional" } as const;
const gift = {
  kind: "grant_credit",
  ...ofGrant,
  change: cents("500"),
  priority: 50,
  expiresAt: null,
} as const;
const voiding = { kind: "void_grant", ...ofGrant, change: cents("-500") } as const;
const changing = (change: string) => ({ kind: "adjust_grant", ...ofGrant, change: cents(change) }) as const;
const debit = (change: string) => ({ kind: "debit_balance", change: cents(change) }) as const;

describe("the one entry of each kind", () => {
  test.each([
    { correction: gift, posted: "1300 → 2010:{acme, g} 5.00 USD", key: "credit-grant/g/granted" },
    {
      correction: { ...gift, grantKind: "goodwill" } as const,
      posted: "5200 → 2010:{acme, g} 5.00 USD",
      key: "adjustment/adj_1",
    },
    { correction: changing("20"), posted: "1300 → 2010:{acme, g} 0.20 USD", key: "adjustment/adj_1" },
    { correction: changing("-20"), posted: "2010:{acme, g} → 1300 0.20 USD", key: "adjustment/adj_1" },
    {
      correction: { ...changing("-20"), grantKind: "paid" } as const,
      posted: "2000:{acme, g} → 2200:{acme} 0.20 USD",
      key: "adjustment/adj_1",
    },
    { correction: voiding, posted: "2010:{acme, g} → 1300 4.995 USD", key: "credit-grant/g/voided" },
    {
      correction: { kind: "credit_balance", change: cents("80") } as const,
      posted: "5200 → 2200:{acme} 0.80 USD",
      key: "adjustment/adj_1",
    },
    { correction: debit("-80"), posted: "2200:{acme} → 5200 0.80 USD", key: "adjustment/adj_1" },
  ])("$correction.kind: $posted", ({ correction, posted, key }) => {
    const entry = adjustmentEntry(adjusting(correction), cents("499.5"), now);
    expect(entry.postings.map(postingText)).toEqual([posted]);
    expect(entry).toMatchObject({ sourceKey: key, occurredAt: now, effectiveAt: now, customerId: "acme" });
  });

  test("a void takes what is left when it is asked for", () => {
    const { change: _, ...asked } = voiding;
    expect(correctionOf(asked, cents("0.00000001"))).toEqual({ ...asked, change: cents("-0.00000001") });
    expect(correctionOf(gift, cents("7"))).toEqual(gift);
  });
});

describe("what stands in the way", () => {
  const sound: GrantStanding = {
    remaining: cents("500"),
    available: cents("500"),
    isFunded: true,
    isVoided: false,
    expiresAt: null,
  };
  const obstacle = (
    correction: Correction,
    grant: Partial<GrantStanding> = {},
    money: Partial<CorrectedMoney> = {},
  ) =>
    obstacleTo(
      adjusting(correction),
      { grant: { ...sound, ...grant }, balanceAvailable: cents("100"), ...money },
      now,
    )?.code ?? null;

  test.each([
    { grant: {}, code: null, why: "nothing" },
    { grant: { isVoided: true }, code: "credit_grant_voided", why: "it was voided" },
    { grant: { isFunded: false }, code: "credit_grant_unpaid", why: "it is not paid for" },
    { grant: { expiresAt: now }, code: "credit_grant_expired", why: "it expires at this instant" },
    { grant: { expiresAt: instant("2026-03-01T00:00:00.001Z") }, code: null, why: "it expires in a moment" },
  ])("of changing a grant: $why", ({ grant, code }) => {
    expect(obstacle(voiding, grant)).toBe(code);
    expect(obstacle(changing("-500"), grant)).toBe(code);
    expect(obstacle(changing("500"), grant)).toBe(code);
  });

  test.each([
    { remaining: "0", available: "0", code: "credit_grant_used_up", why: "nothing is left" },
    { remaining: "499.5", available: "499.5", code: null, why: "less is left, and less is taken" },
    { remaining: "500.00000001", available: "500.00000001", code: "credit_grant_changed", why: "more is" },
    { remaining: "500", available: "499", code: "credit_grant_reserved", why: "a part is reserved" },
  ])("of a void of 5.00 USD: $why", ({ remaining, available, code }) => {
    expect(obstacle(voiding, { remaining: cents(remaining), available: cents(available) })).toBe(code);
  });

  test.each([
    { change: "-500", available: "500", code: null },
    { change: "-500", available: "499.99999999", code: "credit_grant_insufficient" },
    { change: "500", available: "0", code: null },
  ])(
    "of changing a grant of which $available can be taken by $change: $code",
    ({ change, available, code }) => {
      expect(obstacle(changing(change), { available: cents(available) })).toBe(code);
    },
  );

  test.each([
    { correction: debit("-100"), code: null },
    { correction: debit("-101"), code: "customer_balance_insufficient" },
    { correction: { kind: "credit_balance", change: cents("1") } as const, code: null },
    { correction: gift, code: null },
    { correction: { ...gift, expiresAt: now }, code: "credit_grant_expired" },
  ])(
    "of $correction.kind by $correction.change beside a balance of 1.00 USD: $code",
    ({ correction, code }) => {
      expect(obstacle(correction)).toBe(code);
    },
  );

  test("of a grant that is not there", () => {
    expect(obstacle(voiding, {}, { grant: null })).toBe("credit_grant_not_found");
  });
});
