import { describe, expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import {
  customerBalance,
  type HoldDraft,
  HoldInvalidError,
  prepaidCredits,
  promotionalCredits,
  receivable,
  requireSoundHold,
  usageRevenue,
} from "../../../src/domain/ledger/index.ts";
import { currency, ledgerAmount } from "../../../src/domain/money/index.ts";

const usd = currency("usd");
const eur = currency("eur");
const amount = ledgerAmount;
const grant = prepaidCredits("acme", "g1", usd);
const gift = promotionalCredits("acme", "g2", usd);

const sound: HoldDraft = {
  sourceKey: "request/req_1/reserved",
  customerId: "acme",
  currency: usd,
  cause: { type: "request", id: "req_1" },
  placedAt: instant("2026-01-15T00:00:00.000Z"),
  expiresAt: instant("2026-01-15T00:10:00.000Z"),
  lines: [{ account: grant, amount: amount(200n) }],
};

describe("a hold may", () => {
  test.each<{ over: Partial<HoldDraft>; why: string }>([
    { over: {}, why: "be of one account" },
    {
      over: {
        lines: [grant, gift, customerBalance("acme", usd)].map((account) => ({
          account,
          amount: amount(1n),
        })),
      },
      why: "be of several, whatever has a floor",
    },
    {
      over: { lines: [{ account: grant, amount: amount(2n), atMost: amount(2n) }] },
      why: "allow no more than is held",
    },
    { over: { lines: [{ account: grant, amount: amount(2n), atMost: amount(3n) }] }, why: "allow some more" },
    { over: { expiresAt: instant("2026-01-15T00:00:00.001Z") }, why: "last a millisecond" },
    { over: { lines: [{ account: grant, amount: amount(10n ** 38n - 1n) }] }, why: "be of 38 digits" },
  ])("$why", ({ over }) => {
    expect(() => requireSoundHold({ ...sound, ...over })).not.toThrow();
  });
});

describe("a hold is refused", () => {
  test.each<{ over: Partial<HoldDraft>; says: RegExp; why: string }>([
    { over: { sourceKey: "" }, says: /needs a source key/, why: "nothing would tell it from another" },
    { over: { lines: [] }, says: /needs a line/, why: "it holds nothing" },
    { over: { expiresAt: sound.placedAt }, says: /expire after it was placed/, why: "it has no time" },
    {
      over: { lines: [{ account: grant, amount: amount(0n) }] },
      says: /0 cannot be set aside/,
      why: "an amount of nothing",
    },
    {
      over: { lines: [{ account: grant, amount: amount(-1n) }] },
      says: /-1 cannot be set aside/,
      why: "a negative amount",
    },
    {
      over: { lines: [{ account: grant, amount: amount(2n), atMost: amount(1n) }] },
      says: /at least what is held/,
      why: "a limit below what is held",
    },
    {
      over: {
        lines: [
          { account: grant, amount: amount(1n) },
          { account: { ...grant }, amount: amount(2n) },
        ],
      },
      says: /two lines of one account/,
      why: "an account twice",
    },
    {
      over: { lines: [{ account: prepaidCredits("acme", "g1", eur), amount: amount(1n) }] },
      says: /2000\/eur\/.* is not an account in usd/,
      why: "another currency",
    },
    {
      over: { lines: [{ account: receivable("acme", usd), amount: amount(1n) }] },
      says: /1100\/usd\/customer=acme has no floor/,
      why: "an account that cannot run out",
    },
    {
      over: { lines: [{ account: usageRevenue("tokens", usd), amount: amount(1n) }] },
      says: /has no floor/,
      why: "revenue",
    },
  ])("$why", ({ over, says }) => {
    const act = () => requireSoundHold({ ...sound, ...over });
    expect(act).toThrow(HoldInvalidError);
    expect(act).toThrow(says);
  });

  test("in words that name it", () => {
    expect(() => requireSoundHold({ ...sound, lines: [] })).toThrow(
      "hold request/req_1/reserved: needs a line",
    );
    expect(() => requireSoundHold({ ...sound, sourceKey: "" })).toThrow("hold without a source key:");
    expect(new HoldInvalidError("why").code).toBe("hold_invalid");
  });
});
