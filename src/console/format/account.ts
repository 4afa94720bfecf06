/** What the accounts of the ledger are called, by code: the API names an account by its key alone. */
const accountNames: Readonly<Record<string, string>> = {
  "1000": "Stripe balance",
  "1010": "Payments clearing",
  "1020": "Bank cash",
  "1030": "Payouts in transit",
  "1100": "Accounts receivable",
  "1110": "Unbilled receivable",
  "1120": "Disputed receivable",
  "1190": "Allowance for doubtful accounts",
  "1300": "Promotional offset",
  "2000": "Prepaid credits",
  "2005": "Prepaid credits billed, unpaid",
  "2010": "Promotional credits",
  "2100": "Deferred revenue",
  "2200": "Customer balance",
  "2300": "Tax payable",
  "2400": "Refunds payable",
  "2500": "Unclaimed property payable",
  "4000": "Usage revenue",
  "4010": "Subscription revenue",
  "4020": "Breakage revenue",
  "4900": "Promotional discount",
  "4910": "Credit-note allowance",
  "5000": "Processor fees",
  "5010": "Dispute fees",
  "5100": "Bad debt",
  "5200": "Goodwill",
  "5300": "Exchange difference",
  "5900": "Rounding",
  "9000": "Exchange bridge",
  "9100": "Suspense",
};

export interface AccountName {
  readonly code: string;
  readonly name: string;
  /** What tells it apart from others of its code, without the customer whose page this is: "grant crg_1". */
  readonly qualifier: string;
}

/** Reads an account's key, such as "2000/usd/customer=acme/grant=crg_1". A code that is not known here stands for itself. */
export function accountName(key: string): AccountName {
  const [code = "", , ...dimensions] = key.split("/");
  const qualifier = dimensions
    .map((dimension) => {
      const [name = "", value = ""] = dimension.split("=");
      return name === "customer" ? "" : `${name} ${decodeURIComponent(value)}`;
    })
    .filter((text) => text !== "")
    .join(", ");
  return { code, name: accountNames[code] ?? "Account", qualifier };
}
