import { createHash } from "node:crypto";
import { Collection } from "./collection.ts";
import { meteringCollections } from "./metering-objects.ts";
import type { Kind, Objects } from "./objects.ts";
import type { Settings } from "./own-objects.ts";

/** One commit as it stands in the journal: the rows as they are afterwards. */
export type Commit = {
  readonly account: string;
  readonly sequence: number;
  readonly puts: readonly Objects[Kind][];
  readonly removes: readonly { readonly kind: Kind; readonly id: string }[];
  /** Everything is forgotten before the rest of this commit is applied. */
  readonly reset?: true;
};

type Collections = { [K in Kind]: Collection<Objects[K]> };

export const unsetSettings: Settings = {
  id: "settings",
  object: "settings",
  created: 0,
  now: null,
  requests_per_second: null,
};

/** Everything one Stripe account holds. There is one account per API key, so parallel tests cannot meet. */
export class Account {
  readonly id: string;
  /** Numbers given out so far. Survives a reset, so no id is ever given twice. */
  sequence = 0;
  #collections: Collections = emptyCollections();

  constructor(id: string) {
    this.id = id;
  }

  rows<K extends Kind>(kind: K): Collections[K] {
    return this.#collections[kind];
  }

  settings(): Settings {
    return this.rows("settings").get("settings") ?? unsetSettings;
  }

  /** The account's time in seconds: its simulated clock where one is set, else the wall's. */
  now(): number {
    return this.settings().now ?? Math.floor(Date.now() / 1000);
  }

  apply(commit: Commit): void {
    if (commit.reset) this.#collections = emptyCollections();
    this.sequence = commit.sequence;
    for (const row of commit.puts) collectionOf(this.#collections, row.object).put(row);
    for (const { kind, id } of commit.removes) this.rows(kind).remove(id);
  }
}

/** The kind of a row says which collection takes it; the compiler cannot follow that through a union. */
function collectionOf(collections: Collections, kind: Kind): { put(row: Objects[Kind]): void } {
  return collections[kind] as unknown as { put(row: Objects[Kind]): void };
}

function emptyCollections(): Collections {
  return {
    ...meteringCollections(),
    balance_transaction: new Collection(),
    "billing_portal.session": new Collection(),
    card_behaviour: new Collection(),
    charge: new Collection(),
    "checkout.session": new Collection(),
    credit_note: new Collection(),
    customer: new Collection(),
    customer_balance_transaction: new Collection(),
    delivery: new Collection(),
    dispute: new Collection(),
    event: new Collection(),
    invoice: new Collection(),
    invoice_payment: new Collection(),
    invoiceitem: new Collection(),
    kept_reply: new Collection(),
    payment_intent: new Collection(),
    payment_method: new Collection(),
    payout: new Collection(),
    refund: new Collection(),
    settings: new Collection(),
    setup_intent: new Collection(),
    webhook_endpoint: new Collection(),
  };
}

/** The account an API key opens. The key itself is kept nowhere. */
export function accountIdOf(apiKey: string): string {
  return `acct_${createHash("sha256").update(apiKey).digest("hex").slice(0, 16)}`;
}
