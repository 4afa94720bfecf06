import type { ReckonerClient, Schemas } from "./index.ts";

/** Whether a feature may be used now, what decided, what is left, when it begins anew, and what it would cost. */
export type CheckedFeature = Schemas["CheckedFeature"];

export interface FeatureQuestion {
  readonly customer: string;
  readonly feature: string;
  /** How much more of a metered feature, as a decimal text in the meter's unit; one when left out. */
  readonly quantity?: string;
  /** Of a setting: what it must allow, such as a model. */
  readonly value?: string;
  /** Whose usage it would be, and of what: dimensions of meters, such as `{ user: "u_1", model: "large" }`. */
  readonly subject?: Readonly<Record<string, string>>;
}

/**
 * Asks whether a customer may use one feature now; everything that was accepted before counts:
 * `const { allowed, reason } = await checkFeature(reckoner, { customer: "acme", feature: "tokens", quantity: "1200" })`.
 * To ask after several at once, post to `/v1/entitlements/check`.
 * @throws ReckonerApiError for a customer or a feature that there is not
 */
export async function checkFeature(
  reckoner: Pick<ReckonerClient, "post">,
  { customer, subject, ...asked }: FeatureQuestion,
): Promise<CheckedFeature> {
  const body = { customer, features: [asked], ...(subject === undefined ? {} : { subject: { ...subject } }) };
  const { features } = await reckoner.post("/v1/entitlements/check", { body });
  const [checked] = features;
  if (checked === undefined) throw new Error("the API answered for no feature");
  return checked;
}
