import type { NoticeData } from "../notice.ts";
import { amountText } from "./billing-letters.ts";
import type { Letter } from "./letter.ts";

type Budget = NoticeData["budget.limit_reached"];

const subjects: Readonly<Record<Budget["about"], string>> = {
  feature: "your allowance",
  spending_cap: "a spending cap",
  credit: "your credit",
  spending: "your budget",
};

/** "your allowance of “fast models”". */
const nameOf = ({ about, name }: Budget): string =>
  about === "feature" && name !== null ? `${subjects.feature} of “${name}”` : subjects[about];

const capitalised = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

const particularsOf = ({ used, allowed }: Budget) => [
  { name: "Used", text: used },
  { name: "Of", text: allowed },
];

export const shareReached = (data: NoticeData["budget.share_reached"]): Letter => ({
  subject: `${data.percent} % of ${nameOf(data)} is used`,
  title: `${data.percent} % of ${nameOf(data)} is used`,
  headline: { name: "Used", text: `${data.percent} %`, tone: "plain" },
  paragraphs: ["You asked to be told when so much is used."],
  particulars: particularsOf(data),
  action: null,
});

export const limitReached = (data: Budget): Letter => ({
  subject: `${capitalised(nameOf(data))} is used up`,
  title: `${capitalised(nameOf(data))} is used up`,
  headline: { name: "Used", text: "100 %", tone: "bad" },
  paragraphs: ["What comes beyond it is denied, or charged, as your plan says."],
  particulars: particularsOf(data),
  action: null,
});

export const overrunForecast = (data: NoticeData["budget.overrun_forecast"]): Letter => ({
  subject: `At this rate ${nameOf(data)} will not last`,
  title: `At this rate ${nameOf(data)} will not last`,
  headline: null,
  paragraphs: [
    "If usage goes on as it has so far, more will be used by the end of the period than there is.",
  ],
  particulars: [...particularsOf(data), { name: "Expected", text: data.forecast }],
  action: null,
});

export const topUpStopped = ({ currency, amount_minor, cause }: NoticeData["top_up.stopped"]): Letter => ({
  subject: "Your automatic top-up has been switched off",
  title: "Your automatic top-up has been switched off",
  headline: { name: "Top-up", text: amountText(amount_minor, currency), tone: "bad" },
  paragraphs: [
    cause === "declined"
      ? "The charge for it was declined. No more credit is bought by itself until you switch it on again."
      : "It could not be invoiced. No more credit is bought by itself until it is set up again.",
  ],
  particulars: [],
  action: null,
});

export const topUpLimit = ({
  currency,
  monthly_limit_minor,
}: NoticeData["top_up.limit_reached"]): Letter => ({
  subject: "Your automatic top-up has reached its limit of this month",
  title: "Your automatic top-up has reached its limit of this month",
  headline: { name: "Limit", text: amountText(monthly_limit_minor, currency), tone: "plain" },
  paragraphs: ["No more credit is bought by itself until the month is over."],
  particulars: [],
  action: null,
});
