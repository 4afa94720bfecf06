import * as openid from "openid-client";
import type { Role } from "./permissions.ts";
import type { Identity, IdentityProvider } from "./sign-in-dependencies.ts";
import { SignInRefusedError } from "./sign-in-dependencies.ts";

export interface ProviderOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly scopes: string;
  readonly roleClaim: string;
  readonly roles: ReadonlyMap<string, readonly Role[]>;
}

/** The authorization code flow with PKCE, state and nonce. The provider is asked for what it is with the first who signs in. */
export function openIdProvider(options: ProviderOptions, redirectUri: string): IdentityProvider {
  let discovered: Promise<openid.Configuration> | undefined;
  const configuration = () => {
    discovered ??= discover(options).catch((error: unknown) => {
      // The next one asks again.
      discovered = undefined;
      throw new SignInRefusedError("the identity provider does not answer", { cause: error });
    });
    return discovered;
  };
  return {
    async begin() {
      const [config, codeVerifier] = [await configuration(), openid.randomPKCECodeVerifier()];
      const attempt = { state: openid.randomState(), nonce: openid.randomNonce(), codeVerifier };
      const url = openid.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: options.scopes,
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: "S256",
      });
      return { url: url.href, attempt };
    },

    async finish(url, { state, nonce, codeVerifier }) {
      const config = await configuration();
      const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: codeVerifier };
      const tokens = await openid
        .authorizationCodeGrant(config, new URL(url), { ...checks, idTokenExpected: true })
        .catch((error: unknown) => {
          throw new SignInRefusedError("the identity provider did not confirm this sign-in", {
            cause: error,
          });
        });
      const claims = tokens.claims();
      if (claims === undefined) throw new SignInRefusedError("the identity provider did not say who this is");
      // Many providers tell name, e-mail and groups here alone.
      const more =
        config.serverMetadata().userinfo_endpoint === undefined
          ? {}
          : await openid.fetchUserInfo(config, tokens.access_token, claims.sub);
      return identityOf({ ...more, ...claims }, options);
    },
  };
}

function discover({ issuer, clientId, clientSecret }: ProviderOptions): Promise<openid.Configuration> {
  const execute = issuer.startsWith("http:") ? [openid.allowInsecureRequests] : [];
  return openid.discovery(
    new URL(issuer),
    clientId,
    clientSecret,
    clientSecret === undefined ? openid.None() : openid.ClientSecretBasic(clientSecret),
    { execute },
  );
}

/** @throws SignInRefusedError for somebody without a role here */
export function identityOf(
  claims: { readonly [claim: string]: unknown; readonly iss: string; readonly sub: string },
  { roleClaim, roles }: Pick<ProviderOptions, "roleClaim" | "roles">,
): Identity {
  const said = [claims[roleClaim] ?? []].flat();
  const held = [...new Set(said.flatMap((text) => roles.get(String(text)) ?? []))];
  if (held.length === 0) throw new SignInRefusedError("you have no role here: ask an administrator for one");
  const email = textOf(claims.email);
  const name = textOf(claims.name) ?? email ?? textOf(claims.preferred_username) ?? claims.sub;
  return { issuer: claims.iss, subject: claims.sub, name, email, roles: held };
}

const textOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
