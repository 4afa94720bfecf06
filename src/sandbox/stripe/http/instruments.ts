import type { Account } from "../state/account.ts";
import type { ApiRequest } from "./api.ts";
import { FaultRules } from "./fault-rules.ts";

export type RequestRecord = {
  readonly at: string;
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly idempotencyKey: string | null;
  /** 0 when no reply was sent. */
  readonly status: number;
  readonly fault: string | null;
};

const recordsMax = 2000;

/** What tests hold on to: armed faults and the log of requests, by account. Kept in memory only. */
export class Instruments {
  readonly log: (line: string) => void;
  readonly #faults = new Map<string, FaultRules>();
  readonly #requests = new Map<string, RequestRecord[]>();

  constructor(log: (line: string) => void) {
    this.log = log;
  }

  faults(account: Account): FaultRules {
    const rules = this.#faults.get(account.id) ?? new FaultRules();
    this.#faults.set(account.id, rules);
    return rules;
  }

  requests(account: Account): readonly RequestRecord[] {
    return this.#requests.get(account.id) ?? [];
  }

  record(
    account: Account | undefined,
    request: ApiRequest,
    outcome: { requestId: string; fault: string | undefined; status: number },
  ): void {
    if (account === undefined) return;
    const key = request.headers["idempotency-key"];
    const records = this.#requests.get(account.id) ?? [];
    this.#requests.set(account.id, records);
    records.push({
      at: new Date().toISOString(),
      requestId: outcome.requestId,
      method: request.method,
      path: request.path,
      body: request.method === "GET" ? request.query : request.body,
      idempotencyKey: typeof key === "string" ? key : null,
      status: outcome.status,
      fault: outcome.fault ?? null,
    });
    if (records.length > recordsMax) records.shift();
  }

  forget(account: Account): void {
    this.#faults.delete(account.id);
    this.#requests.delete(account.id);
  }
}
