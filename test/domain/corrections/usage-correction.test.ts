import { expect, test } from "vitest";
import {
  type CorrectableEvent,
  obstacleToBooking,
  obstacleToCorrecting,
} from "../../../src/domain/corrections/index.ts";

const untouched: CorrectableEvent = { standing: "accepted", correctedBy: null, isVoided: false };
const amended: CorrectableEvent = { standing: "accepted", correctedBy: 7n, isVoided: false };
const voided: CorrectableEvent = { standing: "accepted", correctedBy: 8n, isVoided: true };

test.each([
  { event: { standing: "unknown" }, code: "usage_event_not_found" },
  { event: { standing: "quarantined" }, code: "usage_event_quarantined" },
  { event: { standing: "archived" }, code: "usage_event_archived" },
  { event: voided, code: "usage_event_voided" },
  { event: untouched, code: undefined },
  { event: amended, code: undefined },
] as { event: CorrectableEvent; code: string | undefined }[])(
  "correcting $event.standing, voided: $event.isVoided: $code",
  ({ event, code }) => expect(obstacleToCorrecting(event)?.code).toBe(code),
);

test.each([
  { event: untouched, asked: null, code: undefined, why: "nothing came in between" },
  { event: amended, asked: 7n, code: undefined, why: "it was asked about the amended event" },
  { event: amended, asked: null, code: "usage_event_changed", why: "it was amended since" },
  { event: amended, asked: 6n, code: "usage_event_changed", why: "it was amended again since" },
  { event: voided, asked: null, code: "usage_event_voided", why: "it was voided since" },
])("booking: $why", ({ event, asked, code }) => {
  expect(obstacleToBooking(event, asked)?.code).toBe(code);
});
