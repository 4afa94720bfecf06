import { z } from "zod";

const sealingKey = /^[A-Za-z0-9+/]{43}=$/;

/** Keys in base64, separated by commas: the first is used for what is new, all of them for what is there. No message repeats one. */
export const sealingKeys = z
  .string()
  .transform((text) => text.split(",").map((key) => key.trim()))
  .refine((keys) => keys.every((key) => sealingKey.test(key)), {
    error: "must be keys of 32 bytes in base64, separated by commas (openssl rand -base64 32)",
  })
  .transform((keys): readonly Uint8Array[] => keys.map((key) => Buffer.from(key, "base64")));

const smtpUrl = z
  .string()
  .refine((text) => URL.canParse(text) && ["smtp:", "smtps:"].includes(new URL(text).protocol), {
    error: "must look like smtp://USER:PASSWORD@HOST:PORT, or smtps:// for TLS from the start",
  });

const mailAddress = z.string().regex(/^[^\s<>@]+@[^\s<>@]+$|^[^<>]*<[^\s<>@]+@[^\s<>@]+>$/, {
  error: "must be an address, or a name and an address as Name <address>",
});

/** What API and worker agree on about webhook endpoints. */
export const endpointVariables = {
  WEBHOOK_SECRET_KEYS: sealingKeys.optional(),
  WEBHOOK_PRIVATE_ADDRESSES: z
    .enum(["refused", "allowed"], { error: "must be one of refused, allowed" })
    .default("refused"),
};

export const mailVariables = {
  SMTP_URL: smtpUrl.optional(),
  MAIL_FROM: mailAddress.default("Billing <billing@localhost>"),
  OPERATOR_EMAIL: mailAddress.optional(),
};

export interface EndpointConfig {
  /** Empty: there can be no endpoints. */
  readonly sealingKeys: readonly Uint8Array[];
  readonly privateAllowed: boolean;
}

type Values<Group extends z.ZodRawShape> = z.infer<z.ZodObject<Group>>;

export function endpointSection(values: Values<typeof endpointVariables>): EndpointConfig {
  return {
    sealingKeys: values.WEBHOOK_SECRET_KEYS ?? [],
    privateAllowed: values.WEBHOOK_PRIVATE_ADDRESSES === "allowed",
  };
}

export interface MailConfig {
  /** Undefined: no mail is sent. */
  readonly smtp: { readonly url: string; readonly from: string } | undefined;
  /** Who is written to about this deployment; null: nobody. */
  readonly operatorEmail: string | null;
}

export function mailSection(values: Values<typeof mailVariables>): MailConfig {
  const { SMTP_URL: url, MAIL_FROM: from, OPERATOR_EMAIL: operatorEmail = null } = values;
  return { smtp: url === undefined ? undefined : { url, from }, operatorEmail };
}
