import { z } from "zod";
import { ConfigurationError } from "./configuration-error.ts";

const roleNames = ["viewer", "support", "finance", "product", "operator", "admin"] as const;
type RoleName = (typeof roleNames)[number];

const given = (what: string) => z.string({ error: `is not set: ${what}` }).min(1);

/** A provider is asked over TLS; one on this machine may be asked without. */
const issuerUrl = z.string().refine((text) => URL.canParse(text) && isTrusted(new URL(text)), {
  error: "must be a URL that starts with https://, or http:// on this machine",
});

const isTrusted = ({ protocol, hostname }: URL): boolean =>
  protocol === "https:" || (protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname));

const pairsExpected = `must be pairs of a claim's text and one of ${roleNames.join(", ")}, as in billing=finance, separated by commas`;
const roleName = z.enum(roleNames, { error: pairsExpected });

/** `billing-team=finance, everybody=viewer`: the text in the claim, and the role that it gives. */
const roleMapping = z
  .string()
  .transform((text) => text.split(",").map((pair) => pair.trim()))
  .transform((pairs) =>
    pairs.map((pair) => [pair.slice(0, pair.lastIndexOf("=")), pair.slice(pair.lastIndexOf("=") + 1)]),
  )
  .pipe(
    z.array(z.tuple([z.string().min(1, { error: pairsExpected }), roleName]), {
      error: pairsExpected,
    }),
  );

const minutes = (max: number) =>
  z.coerce
    .number({ error: `must be a whole number from 1 to ${max}` })
    .int({ error: `must be a whole number from 1 to ${max}` })
    .min(1, { error: `must be a whole number from 1 to ${max}` })
    .max(max, { error: `must be a whole number from 1 to ${max}` });

export const signInVariables = {
  OIDC_ISSUER: issuerUrl.optional(),
  OIDC_CLIENT_ID: given("give the client's id at the provider").optional(),
  OIDC_CLIENT_SECRET: given("give the client's secret").optional(),
  OIDC_SCOPES: given("give scopes").default("openid profile email"),
  OIDC_ROLE_CLAIM: given("give a claim").default("groups"),
  OIDC_ROLES: roleMapping.optional(),
  SESSION_IDLE_MINUTES: minutes(24 * 60).default(60),
  SESSION_HOURS: minutes(7 * 24).default(12),
  LOCAL_SIGN_IN_PASSWORD: z
    .string()
    .min(16, { error: "must be at least 16 characters long: make one up at random" })
    .optional(),
};

export interface ProviderConfig {
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined: a public client, which PKCE alone protects. */
  readonly clientSecret: string | undefined;
  readonly scopes: string;
  readonly roleClaim: string;
  /** By what the claim may hold. */
  readonly roles: ReadonlyMap<string, readonly RoleName[]>;
}

export interface SignInConfig {
  /** Undefined: nobody signs in by a provider. */
  readonly provider: ProviderConfig | undefined;
  /** With which anybody on this machine may sign in as any role; undefined: nobody may. */
  readonly localPassword: string | undefined;
  readonly idleMsMax: number;
  readonly lifetimeMsMax: number;
}

export function signInSection(
  values: z.infer<z.ZodObject<typeof signInVariables>>,
  { isLive }: { readonly isLive: boolean },
): SignInConfig {
  if (isLive && values.LOCAL_SIGN_IN_PASSWORD !== undefined) {
    const message = "must not be set together with a live STRIPE_API_KEY: people sign in by OIDC_ISSUER";
    throw new ConfigurationError([{ variable: "LOCAL_SIGN_IN_PASSWORD", message }]);
  }
  return {
    provider: providerOf(values),
    localPassword: values.LOCAL_SIGN_IN_PASSWORD,
    idleMsMax: values.SESSION_IDLE_MINUTES * 60_000,
    lifetimeMsMax: values.SESSION_HOURS * 60 * 60_000,
  };
}

function providerOf(values: z.infer<z.ZodObject<typeof signInVariables>>): ProviderConfig | undefined {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_ROLES: roles } = values;
  if (issuer === undefined) return undefined;
  const need = (variable: string) => ({ variable, message: "is not set: OIDC_ISSUER needs it" });
  if (clientId === undefined) throw new ConfigurationError([need("OIDC_CLIENT_ID")]);
  if (roles === undefined) throw new ConfigurationError([need("OIDC_ROLES")]);
  const byClaim = Map.groupBy(roles, ([claim]) => claim);
  return {
    issuer,
    clientId,
    clientSecret: values.OIDC_CLIENT_SECRET,
    scopes: values.OIDC_SCOPES,
    roleClaim: values.OIDC_ROLE_CLAIM,
    roles: new Map([...byClaim].map(([claim, pairs]) => [claim, pairs.map(([, role]) => role)])),
  };
}
