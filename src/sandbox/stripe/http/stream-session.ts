import type { Account } from "../state/account.ts";
import type { Accounts } from "../state/accounts.ts";
import { StripeRefusal } from "./refusal.ts";

/** Whose session a token is of; an API key is of none. */
export function accountOfSession(accounts: Accounts, authorization: string | undefined): Account | undefined {
  const id = /^Bearer token_test_(acct_[0-9a-f]+)_/.exec(authorization ?? "")?.[1];
  return id === undefined ? undefined : accounts.ofId(id);
}

/** Throws Stripe's 401 when a session is not open, or not any more. */
export function assertSessionOpen(account: Account, authorization: string | undefined): void {
  const token = authorization?.split(" ")[1];
  for (const session of account.rows("meter_session").newestFirst()) {
    if (session.token === token && account.now() < session.expires_at) return;
  }
  const message = "This session has expired: create another one.";
  const error = {
    type: "temporary_session_expired",
    code: "billing_meter_event_session_expired",
    message,
  } as const;
  throw new StripeRefusal(401, error, { beforeExecution: true });
}
