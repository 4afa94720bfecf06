import fc from "fast-check";
import { expect, test } from "vitest";
import { instantOfEpochMs, period } from "../../../src/domain/calendar/index.ts";
import {
  type AccountRef,
  accountKey,
  creditsBurned,
  customerBalance,
  disputeFreeze,
  exchangeBridge,
  grantVoided,
  type JournalEntry,
  type JournalEntryDraft,
  lateUsageAdjusted,
  type Posting,
  paymentReturned,
  paymentSucceeded,
  paymentsClearing,
  processorFees,
  requireSoundHold,
  returnRecorded,
  reversalCorrected,
  reversalOf,
  settledInAnotherCurrency,
  stripeBalance,
} from "../../../src/domain/ledger/index.ts";
import { netDebit } from "../../../src/domain/ledger/posted-through.ts";
import { currency, ledgerAmount, ledgerAmountOfMoney, money } from "../../../src/domain/money/index.ts";
import { at, cents, facts, usd } from "./facts.ts";

const anyCents = fc.bigInt(0n, 10n ** 12n);
const someCents = fc.bigInt(1n, 10n ** 12n);
const anyKind = fc.constantFrom("paid" as const, "promotional" as const, "goodwill" as const);
const nextDay = instantOfEpochMs(at + 86_400_000);
const balance = customerBalance("acme", usd);
const units = (amount: bigint) => ledgerAmountOfMoney(cents(amount));

/** Whatever was posted: the balance of every account, without those at zero. */
function nets(...entries: readonly (JournalEntryDraft | null)[]): Record<string, bigint> {
  const postings: Posting[] = entries.flatMap((entry) => entry?.postings ?? []);
  const accounts: AccountRef[] = postings.flatMap(({ debit, credit }) => [debit, credit]);
  return Object.fromEntries(
    accounts
      .map((account) => [accountKey(account), netDebit({ postings }, account)] as const)
      .filter(([, net]) => net !== 0n),
  );
}

function recorded(draft: JournalEntryDraft | null): JournalEntry {
  if (draft === null) throw new TypeError("an entry is recorded");
  return { ...draft, id: 7n, actor: "test", recordedAt: at };
}

const anyDraws = fc.array(fc.tuple(fc.uuid(), anyKind, someCents), { minLength: 1, maxLength: 5 });

function burned(drawn: readonly [string, "paid" | "promotional" | "goodwill", bigint][]): JournalEntry {
  const draws = drawn.map(([grantId, kind, amount]) => ({
    grantId,
    kind,
    amount: units(amount),
    productKey: "tokens",
  }));
  return recorded(creditsBurned({ ...facts, cycleId: "c", draws }));
}

test("an entry and its reversal leave every account as it was; a corrected reversal says again what was undone", () => {
  fc.assert(
    fc.property(anyDraws, (drawn) => {
      const entry = burned(drawn);
      const reversal = reversalOf(facts, entry);
      expect(nets(entry, reversal)).toEqual({});
      expect(reversal.postings).toHaveLength(entry.postings.length);
      const again = reversalCorrected(facts, recorded(reversal));
      expect(again.postings).toEqual(entry.postings);
      expect(again.reverses).toBeUndefined();
    }),
  );
});

test("a returned payment empties clearing, and takes of the balance what is there of it", () => {
  fc.assert(
    fc.property(someCents, anyCents, anyCents, (received, due, left) => {
      const payment = recorded(
        paymentSucceeded({
          ...facts,
          paymentId: "p",
          invoiceId: "in",
          received: cents(received),
          due: cents(due),
        }),
      );
      const entries = paymentReturned({ ...facts, paymentId: "p", payment, balanceLeft: units(left) });
      const beyond = received > due ? received - due : 0n;
      const postings = entries.flatMap((entry) => entry.postings);
      expect(netDebit({ postings }, paymentsClearing(usd))).toBe(-units(received));
      expect(netDebit({ postings }, balance)).toBe(units(beyond < left ? beyond : left));
      expect(entries.at(-1)?.postings).toEqual(reversalOf(facts, payment).postings);
      expect(new Set(entries.map(({ sourceKey }) => sourceKey)).size).toBe(entries.length);
    }),
  );
});

test("usage corrected after its grant has ended is usage corrected before, and then the end", () => {
  fc.assert(
    fc.property(anyKind, someCents, (kind, amount) => {
      const draw = { grantId: "g", kind, amount: units(amount), productKey: "tokens" };
      const corrected = {
        ...facts,
        correctionId: "c",
        period: period(at, nextDay),
        differences: [],
      };
      const before = lateUsageAdjusted({ ...corrected, restored: [draw] });
      const end = grantVoided({ ...facts, grantId: "g", kind, remaining: draw.amount });
      const after = lateUsageAdjusted({ ...corrected, lapsed: [draw] });
      expect(nets(after)).toEqual(nets(before, end));
    }),
  );
});

test("what is settled in another currency crosses the bridge whole, and leaves its own Stripe balance alone", () => {
  const eur = currency("eur");
  fc.assert(
    fc.property(someCents, someCents, anyCents, (euros, dollars, fee) => {
      const [own, settled] = settledInAnotherCurrency(
        returnRecorded({
          ...facts,
          currency: eur,
          balanceTransactionId: "t",
          paymentId: "p",
          amount: money(euros, "eur"),
        }),
        { gross: cents(-dollars), fee: cents(fee) },
      );
      expect(nets(own)).toEqual({
        [accountKey(paymentsClearing(eur))]: units(euros),
        [accountKey(exchangeBridge(eur))]: -units(euros),
      });
      expect(netDebit(settled, exchangeBridge(usd))).toBe(units(dollars));
      expect(netDebit(settled, stripeBalance(usd))).toBe(-units(dollars + fee));
      expect(netDebit(settled, processorFees(usd))).toBe(units(fee));
      expect(settled.cause).toEqual(own.cause);
      expect(settled.kind).not.toBe(own.kind);
    }),
  );
});

test("a dispute freezes what is left of the grants it paid for, and nothing when nothing is left", () => {
  const freeze = { ...facts, disputeId: "dp", placedAt: at, expiresAt: nextDay };
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(fc.uuid(), anyCents), { selector: ([id]) => id }), (grants) => {
      const held = disputeFreeze({
        ...freeze,
        grants: grants.map(([grantId, amount]) => ({ grantId, remaining: ledgerAmount(amount) })),
      });
      const left = grants.filter(([, amount]) => amount > 0n);
      expect(held?.lines.map(({ account, amount }) => [account.grantId, amount]) ?? []).toEqual(left);
      if (held !== null) requireSoundHold(held);
    }),
  );
});
