import { isoOf } from "../../domain/calendar/index.ts";
import { BillingError } from "../../domain/errors.ts";
import { eventType } from "./catalog.ts";
import type { Delivery, DeliveryKind } from "./delivery.ts";
import type { DemoApi, SentEvent } from "./demo-api.ts";

const batchSize = 1_000;

export class UnexpectedAnswerError extends BillingError {
  readonly code = "demo_answer_unexpected";
}

/** What the API must say of each event. A first sending is a duplicate when an interrupted demo is continued. */
const expected: Readonly<Record<DeliveryKind, readonly string[]>> = {
  first: ["accepted", "duplicate"],
  again: ["duplicate"],
  contradiction: ["conflict"],
};

/** Sends usage in batches and checks what became of every event. @throws UnexpectedAnswerError */
export async function sendUsage(
  api: DemoApi,
  source: string,
  deliveries: readonly Delivery[],
): Promise<void> {
  for (let from = 0; from < deliveries.length; from += batchSize) {
    const batch = deliveries.slice(from, from + batchSize);
    const answers = await api.sendEvents(batch.map((delivery) => eventOf(delivery, source)));
    batch.forEach(({ kind, request }, index) => {
      const answer = answers[index];
      if (answer !== undefined && expected[kind].includes(answer.status)) return;
      const status = answer === undefined ? "not answered" : `${answer.status} ${answer.detail ?? ""}`;
      throw new UnexpectedAnswerError(`request ${request.index} of the trace, sent as ${kind}: ${status}`);
    });
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
