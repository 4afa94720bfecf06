import { z } from "zod";

/** A version of a meter of ours, and what Stripe calls the events of the meter that its usage is pushed to. */
export interface NamedMeter {
  readonly key: string;
  readonly version: number;
  readonly eventName: string;
}

const form = /^([A-Za-z0-9_.-]{1,100})(?:@(\d{1,6}))?=([A-Za-z0-9_.-]{1,100})$/;
const message =
  "must look like METER=EVENT_NAME or METER@VERSION=EVENT_NAME, each event name once, separated by commas";

/** `tokens=llm_tokens,calls@2=api_calls`; a meter without a version is its first. */
export const meterNames = z
  .string()
  .transform((value) => value.split(",").map((each) => form.exec(each.trim())))
  .refine((found) => found.every((each) => each !== null), { error: message, abort: true })
  .transform((found) =>
    found.map((each): NamedMeter => {
      const [, key = "", version = "1", eventName = ""] = each ?? [];
      return { key, version: Number(version), eventName };
    }),
  )
  .refine((meters) => new Set(meters.map(({ eventName }) => eventName)).size === meters.length, {
    error: message,
  });
