import { BillingError } from "../errors.ts";

/** void: the event counts no more. amend: it counts as if it had said something else; its time, type and customer stay. */
export const usageCorrectionKinds = ["void", "amend"] as const;
export type UsageCorrectionKind = (typeof usageCorrectionKinds)[number];

/** Why usage is corrected. `other` is explained in words. */
export const usageCorrectionReasons = [
  "duplicate",
  "wrong_quantity",
  "wrong_customer",
  "test_traffic",
  "service_fault",
  "goodwill",
  "other",
] as const;
export type UsageCorrectionReason = (typeof usageCorrectionReasons)[number];

/** How many events one request may correct. */
export const correctedEventsMax = 1_000;

/** How many events one key may correct within 24 hours by itself, where nothing else is configured. */
export const unapprovedEventsMaxUsual = 100;

/** What is known of an event that somebody wants to correct. */
export type CorrectableEvent =
  | { readonly standing: "unknown" | "quarantined" | "archived" }
  | {
      readonly standing: "accepted";
      /** The number of the newest correction that was booked of it; null before the first. */
      readonly correctedBy: bigint | null;
      readonly isVoided: boolean;
    };

/** Why one event cannot be corrected as asked. */
export class UsageCorrectionImpossibleError extends BillingError {
  readonly code: string;

  constructor(code: string, message: string, field?: string) {
    super(message, field);
    this.code = code;
  }
}

/** What stands in the way of correcting an event that nobody has looked at before; null when nothing does. */
export function obstacleToCorrecting(event: CorrectableEvent): UsageCorrectionImpossibleError | null {
  switch (event.standing) {
    case "unknown":
      return impossible("usage_event_not_found", "no event has this source and id");
    case "quarantined":
      return impossible("usage_event_quarantined", "the event is in quarantine: it has not counted yet");
    case "archived":
      return impossible("usage_event_archived", "the event is kept in an archive, and is final");
    case "accepted":
      return event.isVoided
        ? impossible(
            "usage_event_voided",
            "the event was voided, and that is final: report it under a new id",
          )
        : null;
  }
}

/** The same for an event that was looked at when its correction was asked for: whoever approves agrees to that. */
export function obstacleToBooking(
  event: CorrectableEvent,
  correctedWhenAsked: bigint | null,
): UsageCorrectionImpossibleError | null {
  const obstacle = obstacleToCorrecting(event);
  if (obstacle !== null || event.standing !== "accepted") return obstacle;
  return event.correctedBy === correctedWhenAsked
    ? null
    : impossible("usage_event_changed", "the event was corrected since this was asked for: ask for it anew");
}

const impossible = (code: string, message: string) => new UsageCorrectionImpossibleError(code, message);

/** One of the events of a request, and why it cannot be corrected. */
export interface EventRefusal {
  /** Its place in the request, from 0. */
  readonly index: number;
  readonly source: string;
  readonly id: string;
  readonly refusal: BillingError;
}

/** Events are corrected all together or not at all: these are those in the way. */
export class UsageCorrectionRefusedError extends BillingError {
  readonly code = "usage_correction_refused";
  readonly refusals: readonly EventRefusal[];

  constructor(refusals: readonly EventRefusal[]) {
    const [first] = refusals;
    super(
      `${refusals.length} of the events cannot be corrected, so none is: ${first?.refusal.message ?? ""}`,
    );
    this.refusals = refusals;
  }
}
