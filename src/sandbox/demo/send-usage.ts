import { isoOf } from "../../domain/calendar/index.ts";
import { BillingError, invariant } from "../../domain/errors.ts";
import { eventType } from "./catalog.ts";
import type { Delivery, DeliveryKind } from "./delivery.ts";
import type { DemoApi, SentEvent } from "./demo-api.ts";

export class UnexpectedAnswerError extends BillingError {
  readonly code = "demo_answer_unexpected";
}

/** What the API must say of each event. A first sending is a duplicate when an interrupted demo is continued. */
const expected: Readonly<Record<DeliveryKind, readonly string[]>> = {
  first: ["accepted", "duplicate"],
  again: ["duplicate"],
  contradiction: ["conflict"],
};

/** Sends usage and checks what became of every event. @throws UnexpectedAnswerError */
export async function sendUsage(
  api: DemoApi,
  source: string,
  deliveries: readonly Delivery[],
): Promise<void> {
  const sent = deliveries.map((delivery) => ({ ...delivery, event: eventOf(delivery, source) }));
  // Of several under one key it could not be told which was answered how.
  const ids = new Set(sent.map(({ event }) => event.id));
  invariant(ids.size === sent.length, "no event is sent twice at one stop");
  const answers = await api.sendEvents(sent.map(({ event }) => event));
  for (const { kind, request, event } of sent) {
    const answer = answers.get(event.id);
    if (answer !== undefined && expected[kind].includes(answer.status)) continue;
    const status = answer === undefined ? "not answered" : `${answer.status} ${answer.detail ?? ""}`;
    throw new UnexpectedAnswerError(`request ${request.index} of the trace, sent as ${kind}: ${status}`);
  }
}

/** One event for each request of the trace; its key is for ever. */
function eventOf({ kind, request }: Delivery, source: string): SentEvent {
  const { index, customerId, model, time, inputTokens, outputTokens } = request;
  const iso = isoOf(time);
  return {
    id: `${iso.slice(0, 7)}/${String(index + 1).padStart(5, "0")}`,
    source,
    customer: customerId,
    type: eventType,
    time: iso,
    data: {
      model,
      input_tokens: inputTokens,
      output_tokens: kind === "contradiction" ? outputTokens + 1 : outputTokens,
    },
  };
}
