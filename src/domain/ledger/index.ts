export * from "./account-ref.ts";
export * from "./accounts.ts";
export * from "./chart-of-accounts.ts";
export * from "./entries/index.ts";
export * from "./journal-entry.ts";
export * from "./paired-postings.ts";
export * from "./posting-text.ts";
export * from "./recognition-shares.ts";
