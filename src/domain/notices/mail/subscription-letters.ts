import { instant } from "../../calendar/index.ts";
import { dayText, timeText } from "../../invoicing/document/figures.ts";
import type { NoticeData } from "../notice.ts";
import type { Letter, MailReader } from "./letter.ts";

type Write<Kind extends keyof NoticeData> = (data: NoticeData[Kind], reader: MailReader) => Letter;

const onDay = (iso: string, { timeZone }: MailReader) => dayText(instant(iso), timeZone);

const planName = (plan: string | null) => plan ?? "your subscription";

/** A letter without a figure. */
const plainly = (title: string, paragraphs: readonly string[]): Letter => ({
  ...{ subject: title, title, paragraphs },
  ...{ headline: null, particulars: [], action: null },
});

export const trialEnding: Write<"subscription.trial_ending"> = (data, reader) => {
  const day = onDay(data.trial_ends_at, reader);
  const then = {
    convert: `After that, ${planName(data.plan)} goes on as a paid subscription and is charged to your payment method on file.`,
    cancel: "After that, your subscription ends by itself. Subscribe before then to keep using it.",
    pause: "After that, your subscription is paused until you add a payment method.",
  }[data.end_action];
  return plainly(`Your trial ends on ${day}`, [`Your trial of ${planName(data.plan)} ends on ${day}.`, then]);
};

export const changed: Write<"subscription.changed"> = (data, reader) => {
  const day = onDay(data.effective_at, reader);
  if (data.change === "cancel_later" && data.cancel_at !== null) {
    const end = onDay(data.cancel_at, reader);
    return plainly(`Your subscription ends on ${end}`, [
      `As you asked, ${planName(data.plan)} ends on ${end}. Until then nothing changes.`,
    ]);
  }
  if (data.change === "uncancel") {
    return plainly("Your subscription goes on", [
      `${planName(data.plan)} does not end: as you asked, it goes on as before.`,
    ]);
  }
  const letter = plainly("Your subscription has changed", [
    `Your subscription has changed with effect from ${day}.`,
  ]);
  const particulars = [
    ...(data.plan === null ? [] : [{ name: "Plan", text: data.plan }]),
    ...(data.seats === null ? [] : [{ name: "Seats", text: String(data.seats) }]),
    { name: "Since", text: timeText(instant(data.effective_at), reader.timeZone) },
  ];
  return { ...letter, particulars };
};

export const paused: Write<"subscription.paused"> = (data, reader) =>
  plainly("Your subscription is paused", [
    `${planName(data.plan)} is paused since ${onDay(data.effective_at, reader)}. Nothing is charged in advance until it is resumed.`,
  ]);

export const resumed: Write<"subscription.resumed"> = (data, reader) =>
  plainly("Your subscription goes on", [
    `${planName(data.plan)} goes on since ${onDay(data.effective_at, reader)}.`,
  ]);

export const canceled: Write<"subscription.canceled"> = (data, reader) =>
  plainly("Your subscription has ended", [
    `${planName(data.plan)} ended on ${onDay(data.effective_at, reader)}. What was used until then is on the last invoice.`,
  ]);

export const endpointDisabled: Write<"webhook_endpoint.disabled"> = (data, reader) => ({
  ...plainly("A webhook endpoint was disabled", [
    data.reason === "gone"
      ? "It answered 410 Gone, which asks for no more notices."
      : `Everything sent to it has failed since ${timeText(instant(data.failing_since), reader.timeZone)}.`,
    "Enable it again when it works, and replay the time that it missed.",
  ]),
  particulars: [
    { name: "Endpoint", text: data.endpoint_id },
    { name: "URL", text: data.url },
  ],
});
