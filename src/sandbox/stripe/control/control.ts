import { accountOf } from "../http/admission.ts";
import type { HttpReply } from "../http/api.ts";
import {
  apiFaultActions,
  type FaultAction,
  type FaultRule,
  webhookFaultActions,
} from "../http/fault-rules.ts";
import type { Instruments } from "../http/instruments.ts";
import { StripeRefusal } from "../http/refusal.ts";
import { scriptCard } from "../payments/card-behaviour.ts";
import { cardOutcomes, isCardOutcome } from "../payments/declines.ts";
import { queueDelivery } from "../resources/deliver.ts";
import { rollSecret } from "../resources/webhook-endpoints.ts";
import type { Account } from "../state/account.ts";
import type { Accounts } from "../state/accounts.ts";
import { bankActions } from "./bank-actions.ts";
import { dumpOf } from "./dump.ts";
import {
  ControlError,
  type Fields,
  fields,
  optionalNumber,
  optionalText,
  requiredText,
  textList,
} from "./fields.ts";

type Scene = { readonly account: Account; readonly accounts: Accounts; readonly instruments: Instruments };
type Action = (scene: Scene, input: Fields) => unknown;

/** What real Stripe cannot do, for tests and demonstrations. Bodies and replies are JSON. */
const actions: Readonly<Record<string, Action>> = {
  "POST /_sandbox/clock": setClock,
  "GET /_sandbox/clock": ({ account }) => ({
    now: account.now(),
    simulated: account.settings().now !== null,
  }),
  "POST /_sandbox/limits": setLimits,
  "POST /_sandbox/faults": armFault,
  "GET /_sandbox/faults": ({ account, instruments }) => ({ faults: instruments.faults(account).list() }),
  "DELETE /_sandbox/faults": ({ account, instruments }) => instruments.faults(account).disarmAll(),
  "POST /_sandbox/cards/script": script,
  "POST /_sandbox/bank": bank,
  "GET /_sandbox/deliveries": ({ account }) => ({ deliveries: [...account.rows("delivery").newestFirst()] }),
  "POST /_sandbox/deliveries/resend": resend,
  "POST /_sandbox/webhook_endpoints/roll": roll,
  "GET /_sandbox/requests": ({ account, instruments }) => ({ requests: instruments.requests(account) }),
  "GET /_sandbox/dump": ({ account }) => dumpOf(account),
  "POST /_sandbox/reset": reset,
};

/** Answers a request under `/_sandbox/`. Everything but the health check needs the account's API key. */
export function control(
  request: { method: string; path: string; body: string; authorization: string | undefined },
  accounts: Accounts,
  instruments: Instruments,
): HttpReply {
  if (request.path === "/_sandbox/health") return json(200, { status: "ok" });
  const account = accountOf(accounts, request.authorization);
  if (account === undefined)
    return json(401, { error: "This needs the API key of an account: Bearer sk_test_…" });
  const action = actions[`${request.method} ${request.path}`];
  if (action === undefined)
    return json(404, { error: "There is no such control.", controls: Object.keys(actions) });
  try {
    return json(200, action({ account, accounts, instruments }, fields(request.body)) ?? { done: true });
  } catch (error) {
    if (error instanceof ControlError || error instanceof StripeRefusal)
      return json(400, { error: error.message });
    throw error;
  }
}

function json(status: number, body: unknown): HttpReply {
  return { status, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/** `now` in seconds or as ISO text; `null` goes back to the wall clock. Time does not run backwards. */
function setClock({ account, accounts }: Scene, input: Fields) {
  const given = input.now;
  const now = typeof given === "string" ? Math.floor(Date.parse(given) / 1000) : given;
  const isTime = now === null || (typeof now === "number" && Number.isSafeInteger(now));
  if (!isTime) throw new ControlError("now must be seconds since 1970, an ISO time or null");
  const before = account.settings().now;
  if (now !== null && before !== null && now < before)
    throw new ControlError("the clock does not go backwards");
  accounts.transact(account, (tx) => tx.put({ ...account.settings(), now }));
  return { now: account.now(), simulated: now !== null };
}

function setLimits({ account, accounts }: Scene, input: Fields) {
  const perSecond = optionalNumber(input, "requestsPerSecond") ?? null;
  const perEndpoint = optionalNumber(input, "requestsPerEndpoint") ?? null;
  accounts.transact(account, (tx) =>
    tx.put({
      ...account.settings(),
      requests_per_second: perSecond,
      requests_per_endpoint: perEndpoint,
    }),
  );
}

function armFault({ account, instruments }: Scene, input: Fields) {
  const action = faultAction(requiredText(input, "action"));
  const shouldRetry = input.shouldRetry;
  const rule: FaultRule = {
    action,
    method: optionalText(input, "method"),
    match: optionalText(input, "match"),
    nth: optionalNumber(input, "nth"),
    probability: optionalNumber(input, "probability"),
    seed: optionalNumber(input, "seed"),
    times: optionalNumber(input, "times"),
    milliseconds: optionalNumber(input, "milliseconds"),
    shouldRetry: typeof shouldRetry === "boolean" ? shouldRetry : undefined,
  };
  return { id: instruments.faults(account).arm(rule) };
}

function faultAction(name: string): FaultAction {
  const all: readonly FaultAction[] = [...apiFaultActions, ...webhookFaultActions];
  const action = all.find((each) => each === name);
  if (action === undefined) throw new ControlError(`action must be one of ${all.join(", ")}`);
  return action;
}

/** `{ payment_method, outcomes: ["insufficient_funds", "succeed"] }`: how the next charges of a card end. */
function script({ account, accounts }: Scene, input: Fields) {
  const method = requiredText(input, "payment_method");
  const outcomes = textList(input, "outcomes");
  const unknown = outcomes.find((outcome) => !isCardOutcome(outcome));
  if (unknown !== undefined) throw new ControlError(`${unknown} is not one of ${cardOutcomes.join(", ")}`);
  accounts.transact(account, (tx) => scriptCard(tx, tx.get("payment_method", method).id, outcomes));
}

/** What banks do: see {@link bankActions}. */
function bank({ account, accounts }: Scene, input: Fields) {
  const name = requiredText(input, "action");
  const action = bankActions[name];
  if (action === undefined)
    throw new ControlError(`action must be one of ${Object.keys(bankActions).join(", ")}`);
  return accounts.transact(account, (tx) => action(tx, input));
}

/** Sends an event again to every endpoint that is enabled, as `stripe events resend` does. */
function resend({ account, accounts }: Scene, input: Fields) {
  const event = requiredText(input, "event");
  accounts.transact(account, (tx) => {
    const { id } = tx.get("event", event);
    for (const { id: endpoint, thin_name: thin } of tx.list("webhook_endpoint"))
      if (thin === undefined) queueDelivery(tx, id, endpoint);
  });
}

/** A second signing secret; the old one stays valid for `overlapSeconds`. */
function roll({ account, accounts }: Scene, input: Fields) {
  const id = requiredText(input, "webhook_endpoint");
  const overlapMs = (optionalNumber(input, "overlapSeconds") ?? 24 * 60 * 60) * 1000;
  return {
    secret: accounts.transact(account, (tx) => rollSecret(tx, tx.get("webhook_endpoint", id), overlapMs)),
  };
}

function reset({ account, accounts, instruments }: Scene) {
  accounts.reset(account);
  instruments.forget(account);
}
