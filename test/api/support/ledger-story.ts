import { inTransaction } from "../../../src/db/database.ts";
import { postEntries } from "../../../src/db/ledger/ledger.ts";
import { instant } from "../../../src/domain/calendar/index.ts";
import {
  customerBalance,
  type JournalEntryDraft,
  paymentsClearing,
  prepaidCredits,
  promotionalCredits,
  receivable,
  rounding,
  subscriptionRevenue,
  usageRevenue,
} from "../../../src/domain/ledger/index.ts";
import { currency, decimal, ledgerAmountOfExact } from "../../../src/domain/money/index.ts";
import { draft, move } from "../../db/ledger-fixture.ts";
import type { RunningApi } from "./running-api.ts";

const [usd, jpy, kwd] = [currency("usd"), currency("jpy"), currency("kwd")];

/** Exact minor units. */
const minor = (text: string) => ledgerAmountOfExact(decimal(text));

type Over = Partial<JournalEntryDraft> & { readonly on: string };

/** An entry that takes effect, as it occurs, on a day or at an instant of UTC. */
function happened(sourceKey: string, postings: JournalEntryDraft["postings"], { on, ...over }: Over) {
  const at = instant(on.includes("T") ? on : `${on}T00:00:00Z`);
  return draft(sourceKey, postings, { occurredAt: at, effectiveAt: at, ...over });
}

/** A text that wants to be a formula, and one in every kind of letter. */
export const formula = '=HYPERLINK("http://evil.test","pay, here")';
export const letters = "مرحبا/é/e\u0301/🧾/\u2028";

const acme = receivable("acme", usd);
const tokens = usageRevenue("tokens", usd);

/**
 * Thirteen entries in the order of their ids, from 1: three months, three currencies, one that comes late, texts that are
 * hard to write down, the smallest and the largest amounts.
 */
export const story: readonly JournalEntryDraft[] = [
  happened("invoice/in_1/issued", [move(acme, tokens, minor("1250"))], {
    on: "2026-01-10",
    kind: "invoice_issued",
    cause: { type: "invoice", id: "in_1" },
    metadata: { invoice_id: "in_1" },
  }),
  happened("payment/pay_1/succeeded", [move(paymentsClearing(usd), acme, minor("1250"))], {
    on: "2026-01-20T08:30:00.500Z",
    kind: "payment_succeeded",
    cause: { type: "payment", id: "pay_1" },
    metadata: { invoice_id: "in_1" },
  }),
  happened("kiku/1", [move(receivable("kiku", jpy), usageRevenue("tokens", jpy), minor("1234"))], {
    on: "2026-01-15",
    customerId: "kiku",
    currency: jpy,
  }),
  happened("dina/1", [move(receivable("dina", kwd), usageRevenue("tokens", kwd), minor("1234.00000001"))], {
    on: "2026-01-31T23:59:59.999Z",
    customerId: "dina",
    currency: kwd,
  }),
  happened(formula, [move(acme, usageRevenue("+plus", usd), minor("100"))], {
    on: "2026-01-31",
    cause: { type: "@SUM(1+1)", id: "-2+3" },
    metadata: { invoice_id: "\t=1" },
  }),
  happened(letters, [move(acme, usageRevenue('a "b", c/d', usd), minor("0.5"))], {
    on: "2026-01-31",
    cause: { type: letters, id: "'already" },
  }),
  happened("credits/1", [move(acme, prepaidCredits("acme", "g1", usd), minor("5000"))], { on: "2026-01-31" }),
  happened(
    "february/1",
    [
      move(prepaidCredits("acme", "g1", usd), tokens, minor("1999.25")),
      move(rounding(usd), promotionalCredits("acme", "g2", usd), minor("300")),
    ],
    { on: "2026-02-01" },
  ),
  happened("balance/1", [move(acme, customerBalance("acme", usd), minor("40"))], { on: "2026-02-10" }),
  // Recorded after the entries of February.
  happened("late/1", [move(acme, tokens, minor("7.5"))], { on: "2026-01-05" }),
  happened("tiny/1", [move(acme, tokens, minor("0.00000001"))], { on: "2026-03-01" }),
  happened(
    "huge/1",
    [move(receivable("huge", usd), usageRevenue("huge", usd), minor(`${"9".repeat(30)}.99999999`))],
    {
      on: "2026-03-01",
      customerId: "huge",
    },
  ),
  happened(
    "huge/2",
    [
      move(
        receivable("larger", usd),
        subscriptionRevenue("larger", usd),
        minor(`${"9".repeat(30)}.99999999`),
      ),
    ],
    { on: "2026-03-01", customerId: "larger" },
  ),
];

const currencies = { acme: "usd", kiku: "jpy", dina: "kwd", huge: "usd", larger: "usd" };

/** Makes the customers, posts the story, each entry in a transaction of its own, and writes down acme's grants. */
export async function tellStory(api: RunningApi): Promise<void> {
  for (const [id, currencyCode] of Object.entries(currencies)) {
    const customer = { id, name: id, email: `${id}@test.test`, currency: currencyCode };
    await api.call("POST", "/v1/customers", customer);
  }
  for (const entry of story) await postOrFail(api, [entry]);
}

/** Posts entries that must all be created. */
export async function postOrFail(api: RunningApi, drafts: readonly JournalEntryDraft[]): Promise<void> {
  const results = await inTransaction(api.db, (tx) => postEntries(tx, drafts, "api-key/test"));
  const refused = results.find(({ status }) => status !== "created");
  if (refused !== undefined) throw new Error(`${refused.sourceKey} was ${refused.status}`);
}
