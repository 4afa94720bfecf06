import { type Instant, instantOfEpochMs } from "../calendar/index.ts";

/** Which period of which subscription a draft is of. */
export interface DraftOf {
  readonly subscriptionId: string;
  readonly periodStart: Instant;
}

/** Names the draft of a period's invoice, such as `draft.sub_1.1767225600000`. */
export const draftIdOf = (subscriptionId: string, periodStart: Instant): string =>
  `draft.${subscriptionId}.${periodStart}`;

/** The reverse of {@link draftIdOf}; null for what names no draft. */
export function draftOfId(id: string): DraftOf | null {
  const match = /^draft\.(.+)\.(\d{1,15})$/.exec(id);
  const [, subscriptionId, start] = match ?? [];
  if (subscriptionId === undefined || start === undefined) return null;
  return { subscriptionId, periodStart: instantOfEpochMs(Number(start)) };
}
