import type { Role } from "./permissions.ts";

/** How people sign in here, and for how long. */
export interface SignIn {
  readonly provider: IdentityProvider | undefined;
  /** With which anybody may sign in as any role; for development. */
  readonly localPassword: string | undefined;
  /** A session that rests for so long has ended, and one that is so old. */
  readonly idleMsMax: number;
  readonly lifetimeMsMax: number;
  /** Where browsers reach this server. */
  readonly publicUrl: string;
  /** Whether they do so over TLS. */
  readonly isSecure: boolean;
}

/** What has to come back with the browser, and does so in a cookie that its pages cannot read. */
export interface SignInAttempt {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** Somebody, as a provider describes them. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  readonly name: string;
  readonly email: string | null;
  readonly roles: readonly Role[];
}

/** An OpenID Connect provider. */
export interface IdentityProvider {
  /** Where to send the browser, for a new attempt. */
  begin(): Promise<{ readonly url: string; readonly attempt: SignInAttempt }>;
  /**
   * Who came back.
   * @param url the address that the provider sent the browser to, with its query
   * @throws SignInRefusedError when it does not fit the attempt, or the provider says no
   */
  finish(url: string, attempt: SignInAttempt): Promise<Identity>;
}

/** Nobody signs in by this; the message is for people. */
export class SignInRefusedError extends Error {}
