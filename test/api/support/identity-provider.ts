import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import Provider, { type Context } from "oidc-provider";

/** Who is at the keyboard, and in which groups the provider has them. */
export interface Account {
  readonly id: string;
  readonly groups: readonly string[];
}

export const clientId = "reckoner";
export const clientSecret = "the client's secret in tests";
export const redirectUri = "http://127.0.0.1/auth/callback";

/** A real OpenID Connect provider on a port of its own; whoever comes is signed in as `account` without being asked. */
export async function startIdentityProvider(account: () => Account) {
  let handle: RequestListener = (_request, response) => response.end();
  const server = createServer((request, response) => handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: Provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        response_types: ["code"],
        grant_types: ["authorization_code"],
      },
    ],
    pkce: { required: () => true },
    claims: { openid: ["sub"], profile: ["name"], email: ["email"], groups: ["groups"] },
    scopes: ["openid", "profile", "email", "groups"],
    features: { devInteractions: { enabled: false } },
    cookies: { keys: ["of tests"] },
    interactions: { url: () => "/interaction" },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `Person ${id}`, email: `${id}@example.com`, groups: account().groups }),
    }),
    loadExistingGrant: async ({ oidc }: Context) => {
      const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope("openid profile email groups");
      await grant.save();
      return grant;
    },
  });
  const callback = provider.callback();
  handle = (request, response) => {
    if (!request.url?.startsWith("/interaction")) return callback(request, response);
    void provider.interactionFinished(request, response, { login: { accountId: account().id } });
  };
  return {
    issuer,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A browser as far as it takes to sign in: it follows redirects and keeps cookies, each host's apart. */
export class Browser {
  readonly #cookies = new Map<string, Map<string, string>>();
  readonly #resolve: (url: string) => string;

  /** @param resolve where an address is really reached */
  constructor(resolve: (url: string) => string) {
    this.#resolve = resolve;
  }

  cookiesOf(url: string): Map<string, string> {
    const { host } = new URL(this.#resolve(url));
    const jar = this.#cookies.get(host) ?? new Map<string, string>();
    this.#cookies.set(host, jar);
    return jar;
  }

  /** Goes where it is sent until a page of `stopAt` is reached. Gives its address. */
  async follow(start: string, stopAt: RegExp): Promise<string> {
    let url = start;
    for (let step = 0; step < 15; step++) {
      if (stopAt.test(url)) return url;
      const response = await this.fetch(url);
      await response.arrayBuffer();
      const location = response.headers.get("location");
      if (location === null) throw new Error(`${url} leads nowhere: ${response.status}`);
      url = new URL(location, url).href;
    }
    throw new Error("too many redirects");
  }

  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const jar = this.cookiesOf(url);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...init.headers, cookie };
    const response = await fetch(this.#resolve(url), { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ""] = line.split(";");
      const [name = "", value = ""] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
      if (value === "") jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }
}
