/** `contra_…` stands against accounts of the class it names; `suspense` may lean either way and must come back to zero. */
export type AccountClass =
  | "asset"
  | "contra_asset"
  | "liability"
  | "contra_liability"
  | "revenue"
  | "contra_revenue"
  | "expense"
  | "suspense";

export type NormalSide = "debit" | "credit";

/** What tells accounts of one code apart, spelled as in an account's key. */
export type DimensionName =
  | "customer"
  | "dispute"
  | "grant"
  | "jurisdiction"
  | "product"
  | "purchase"
  | "refund"
  | "subscription";

export interface ChartAccount {
  readonly name: string;
  readonly class: AccountClass;
  /** Sorted; an account of this code has exactly these. */
  readonly dimensions: readonly DimensionName[];
  /** The balance never goes below zero. */
  readonly bounded?: true;
  /** Many customers post to it at once: it takes appended deltas instead of a row lock. */
  readonly hot?: true;
  /** Each line of its statement is kept, numbered without gaps. */
  readonly keepHistory?: true;
  /** Money only passes through: when each account of this code must be back at zero. */
  readonly zeroWhen?: string;
}

/** The chart of accounts. The database holds the same table and opens no other account. */
export const chartOfAccounts = {
  "1000": { name: "Stripe balance", class: "asset", dimensions: [], hot: true },
  "1010": {
    name: "Payments clearing",
    class: "asset",
    dimensions: [],
    hot: true,
    zeroWhen: "the balance transaction of the payment, refund or return is recorded",
  },
  "1020": { name: "Bank cash", class: "asset", dimensions: [] },
  "1030": {
    name: "Payouts in transit",
    class: "asset",
    dimensions: [],
    zeroWhen: "the payout is paid, or has failed",
  },
  "1100": { name: "Accounts receivable", class: "asset", dimensions: ["customer"], keepHistory: true },
  "1110": {
    name: "Unbilled receivable",
    class: "asset",
    dimensions: ["customer"],
    zeroWhen: "the period is invoiced, but for what is carried to the next invoice",
  },
  "1120": {
    name: "Disputed receivable",
    class: "asset",
    dimensions: ["customer", "dispute"],
    zeroWhen: "the dispute is won or lost",
  },
  "1190": { name: "Allowance for doubtful accounts", class: "contra_asset", dimensions: [] },
  "1300": { name: "Promotional offset", class: "contra_liability", dimensions: [], hot: true },
  "2000": {
    name: "Prepaid credits",
    class: "liability",
    dimensions: ["customer", "grant"],
    bounded: true,
    keepHistory: true,
    zeroWhen: "the grant is spent, has expired or is voided",
  },
  "2005": {
    name: "Prepaid credits billed, unpaid",
    class: "liability",
    dimensions: ["customer", "purchase"],
    zeroWhen: "the purchase is paid, cancelled or written off",
  },
  "2010": {
    name: "Promotional credits",
    class: "liability",
    dimensions: ["customer", "grant"],
    bounded: true,
    keepHistory: true,
    zeroWhen: "the grant is spent, has expired or is voided",
  },
  "2100": {
    name: "Deferred revenue",
    class: "liability",
    dimensions: ["customer", "subscription"],
    bounded: true,
    zeroWhen: "the time that was invoiced in advance is served, or handed back",
  },
  "2200": {
    name: "Customer balance",
    class: "liability",
    dimensions: ["customer"],
    bounded: true,
    keepHistory: true,
  },
  "2300": { name: "Tax payable", class: "liability", dimensions: ["jurisdiction"], hot: true },
  "2400": {
    name: "Refunds payable",
    class: "liability",
    dimensions: ["customer", "refund"],
    bounded: true,
    zeroWhen: "the refund has succeeded, or failed",
  },
  "2500": { name: "Unclaimed property payable", class: "liability", dimensions: [] },
  "4000": { name: "Usage revenue", class: "revenue", dimensions: ["product"], hot: true },
  "4010": { name: "Subscription revenue", class: "revenue", dimensions: ["product"], hot: true },
  "4020": { name: "Breakage revenue", class: "revenue", dimensions: [], hot: true },
  "4900": { name: "Promotional discount", class: "contra_revenue", dimensions: [], hot: true },
  "4910": { name: "Credit-note allowance", class: "contra_revenue", dimensions: [], hot: true },
  "5000": { name: "Processor fees", class: "expense", dimensions: [], hot: true },
  "5010": { name: "Dispute fees", class: "expense", dimensions: [], hot: true },
  "5100": { name: "Bad debt", class: "expense", dimensions: [], hot: true },
  "5200": { name: "Goodwill", class: "expense", dimensions: [], hot: true },
  "5300": { name: "Exchange difference", class: "expense", dimensions: [], hot: true },
  "5900": { name: "Rounding", class: "expense", dimensions: [], hot: true },
  "9000": {
    name: "Exchange bridge",
    class: "suspense",
    dimensions: [],
    hot: true,
    zeroWhen: "what was exchanged has come back and the rest is revalued",
  },
  "9100": {
    name: "Suspense",
    class: "suspense",
    dimensions: [],
    hot: true,
    zeroWhen: "somebody has explained the balance transaction, within the hour",
  },
} as const satisfies Record<string, ChartAccount>;

export type AccountCode = keyof typeof chartOfAccounts;

export function isAccountCode(code: string): code is AccountCode {
  return Object.hasOwn(chartOfAccounts, code);
}

export function chartAccount(code: AccountCode): ChartAccount {
  return chartOfAccounts[code];
}

const creditNormalClasses: ReadonlySet<AccountClass> = new Set(["liability", "revenue", "contra_asset"]);

/** The side that increases accounts of this class. */
export function normalSideOf(accountClass: AccountClass): NormalSide {
  return creditNormalClasses.has(accountClass) ? "credit" : "debit";
}
