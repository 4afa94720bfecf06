import { hashOf } from "../../src/api/api-key-secret.ts";
import { adjustmentCommands } from "../../src/api/commands/adjustment-commands.ts";
import type { AdjustmentRequest } from "../../src/api/dependencies.ts";
import { insertApiKey, type Scope } from "../../src/db/access.ts";
import type { Database } from "../../src/db/database.ts";
import type { AskedCorrection } from "../../src/domain/adjustments/index.ts";
import { instant, instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { currency, ledgerAmountOfMoney, money } from "../../src/domain/money/index.ts";

const usd = currency("usd");
const limit = money(1_000n, usd);

/** Two people who correct what customers have: one asks, one may agree. Above 10.00 USD it takes both. */
export class Adjusters {
  readonly #db: Database;
  readonly #commands;

  constructor(db: Database) {
    this.#db = db;
    this.#commands = adjustmentCommands({
      db,
      now: () => instantOfEpochMs(Date.now()),
      approvalLimits: new Map([[usd, limit]]),
    });
  }

  async begin(): Promise<void> {
    await this.#hire("support", ["write"]);
    await this.#hire("lead", ["write"]);
    await this.#hire("finance", ["approve"]);
  }

  async ask(
    id: string,
    customerId: string,
    correction: AskedCorrection,
    apiKeyId = "support",
  ): Promise<void> {
    const request: AdjustmentRequest = {
      id,
      customerId,
      currency: usd,
      correction,
      reasonCode: "goodwill",
      reason: null,
    };
    await this.#commands.request(request, { correlationId: "story", actor: `api-key/${apiKeyId}` });
  }

  async decide(
    adjustmentId: string,
    outcome: "approved" | "rejected" | "withdrawn",
    apiKeyId: string,
  ): Promise<void> {
    const decision = { adjustmentId, outcome, note: "as it was told" };
    await this.#commands.decide(decision, { correlationId: "story", actor: `api-key/${apiKeyId}` });
  }

  async #hire(id: string, scopes: Scope[]): Promise<void> {
    const secretHash = hashOf(id);
    const createdAt = instant("2026-01-01T00:00:00Z");
    await insertApiKey(this.#db.orm, {
      id,
      prefix: "rk_",
      secretHash,
      name: id,
      scopes,
      createdAt,
      expiresAt: null,
    });
  }
}

/** What the customer gets, in cents; negative: what is taken back. */
export const cents = (amount: bigint) => ledgerAmountOfMoney(money(amount, usd));

export const gift = (
  grantId: string,
  amount: bigint,
  grantKind: "promotional" | "goodwill" = "promotional",
) =>
  ({
    kind: "grant_credit",
    grantId,
    grantKind,
    change: cents(amount),
    priority: 50,
    expiresAt: null,
  }) as const;
