import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openIdProvider } from "../../src/api/access/openid-provider.ts";
import { type Instant, instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import {
  type Account,
  Browser,
  clientId,
  clientSecret,
  redirectUri,
  startIdentityProvider,
} from "./support/identity-provider.ts";
import { type RunningApi, startApi, wallClock } from "./support/running-api.ts";
import { signIn } from "./support/sessions.ts";

const minute = 60_000;
let now: Instant = wallClock;
let account: Account = { id: "ada", groups: ["billing"] };
let identity: Awaited<ReturnType<typeof startIdentityProvider>>;
let api: RunningApi;

beforeAll(async () => {
  identity = await startIdentityProvider(() => account);
  const options = {
    issuer: identity.issuer,
    clientId,
    clientSecret,
    scopes: "openid profile email groups",
    roleClaim: "groups",
    roles: new Map([
      ["billing", ["finance", "support"] as const],
      ["everybody", ["viewer"] as const],
    ]),
  };
  api = await startApi({
    now: () => now,
    signIn: {
      provider: openIdProvider(options, redirectUri),
      localPassword: "a password for tests",
      idleMsMax: 30 * minute,
      lifetimeMsMax: 120 * minute,
      publicUrl: "http://127.0.0.1",
      isSecure: false,
    },
  });
});
afterAll(async () => {
  await api.stop();
  await identity.stop();
});

const console_ = /^http:..127.0.0.1.console./;
const newBrowser = () => new Browser((url) => url.replace(/^http:\/\/127\.0\.0\.1\//, `${api.url}/`));
const home = "http://127.0.0.1/auth/sign-in";

async function sessionOf(browser: Browser) {
  const response = await browser.fetch("http://127.0.0.1/v1/session");
  return { status: response.status, body: await response.json() };
}

describe("signing in at a provider", () => {
  test("gives the roles of the claim, a session of a new secret, and the page that was wanted", async () => {
    const browser = newBrowser();
    const end = await browser.follow(`${home}?return_to=/console/customers`, console_);
    expect(end).toBe("http://127.0.0.1/console/customers");
    const { body } = await sessionOf(browser);
    expect(body).toMatchObject({ kind: "person", name: "Person ada", roles: ["finance", "support"] });
    expect([...browser.cookiesOf("http://127.0.0.1/").keys()]).toEqual(["reckoner_session"]);
    const [person] = await api.db.sql`select issuer, subject, email from access.person where subject = 'ada'`;
    expect(person).toEqual({ issuer: identity.issuer, subject: "ada", email: "ada@example.com" });
  });

  test("somebody whose groups mean nothing here is not let in, and is told so", async () => {
    account = { id: "eve", groups: ["strangers"] };
    const browser = newBrowser();
    const end = new URL(await browser.follow(home, console_));
    expect(end.searchParams.get("sign_in_failed")).toMatch(/no role here/);
    expect((await sessionOf(browser)).status).toBe(401);
  });

  test("roles that were taken away at the provider are gone with the next sign-in", async () => {
    account = { id: "ada", groups: ["everybody"] };
    const browser = newBrowser();
    await browser.follow(home, console_);
    expect((await sessionOf(browser)).body.roles).toEqual(["viewer"]);
  });

  test.each(["https://elsewhere.example/", "//elsewhere.example", "/console/..//x", "/console\\x", "/docs"])(
    "%s is no page to come back to",
    async (wanted) => {
      const browser = newBrowser();
      const end = await browser.follow(`${home}?${new URLSearchParams({ return_to: wanted })}`, console_);
      expect(end).toBe("http://127.0.0.1/console/");
    },
  );

  test("an answer that fits no attempt of this browser is refused", async () => {
    const stolen = await newBrowser().follow(home, /\/auth\/callback/);
    const browser = newBrowser();
    const end = await browser.follow(stolen, console_);
    expect(end).toContain("sign_in_failed");
    await browser.follow(home, /\/auth\/callback/);
    // The code of another's attempt, in a browser that has an attempt of its own.
    expect(await browser.follow(stolen, console_)).toContain("sign_in_failed");
    expect((await sessionOf(browser)).status).toBe(401);
  });
});

describe("a session", () => {
  test("is a cookie that scripts and other sites do not get, and a hash in the database", async () => {
    const answer = await api.call(
      "POST",
      "/auth/local",
      { role: "viewer", password: "a password for tests" },
      { key: null },
    );
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^reckoner_session=[\w-]{43}; Path=\/; Max-Age=7200; HttpOnly; SameSite=Strict$/);
    const secret = /=([\w-]{43})/.exec(cookie)?.[1] ?? "";
    const [row] = await api.db.sql`select string_agg(to_jsonb(s)::text, '') as text from access.session as s`;
    expect(row?.text).not.toContain(secret);
    expect(api.log()).not.toContain(secret);
  });

  test("ends when it rests for too long, and when it is too old, however much it is used", async () => {
    const [resting, used] = [await signIn(api, "viewer"), await signIn(api, "viewer")];
    const start = now;
    for (let minutes = 25; minutes < 120; minutes += 25) {
      now = instantOfEpochMs(start + minutes * minute);
      expect((await used.call("GET", "/v1/customers")).status).toBe(200);
    }
    expect((await resting.call("GET", "/v1/customers")).body.code).toBe("session_ended");
    now = instantOfEpochMs(start + 120 * minute);
    expect((await used.call("GET", "/v1/customers")).body.code).toBe("session_ended");
  });

  test("ends with signing out, and when an admin ends it", async () => {
    const [one, other, admin] = [
      await signIn(api, "support"),
      await signIn(api, "support"),
      await signIn(api, "admin"),
    ];
    expect((await one.call("DELETE", "/v1/session")).body).toEqual({ ended: true });
    expect((await one.call("GET", "/v1/customers")).body.code).toBe("session_ended");
    const id = other.actor.replace("person/", "");
    const open = await admin.call("GET", `/v1/people/${id}/sessions`);
    expect(open.body.data).toHaveLength(1);
    const ended = await admin.call("POST", `/v1/people/${id}/sign-out`, { reason: "left us" });
    expect(ended.body).toEqual({ ended: 1 });
    expect((await other.call("GET", "/v1/customers")).body.code).toBe("session_ended");
  });

  test.each([
    { why: "without the token", headers: { "x-csrf-token": "" } },
    { why: "with another token", headers: { "x-csrf-token": "x".repeat(43) } },
    { why: "from another site", headers: { "sec-fetch-site": "cross-site" } },
    { why: "from another host of the site", headers: { "sec-fetch-site": "same-site" } },
  ])("lets no write through $why", async ({ headers }) => {
    const person = await signIn(api, "support");
    const body = { id: "forged", name: "F", email: "f@example.com", currency: "usd" };
    const answer = await person.call("POST", "/v1/customers", body, headers);
    expect([answer.status, answer.body.code]).toEqual([403, "csrf_token_invalid"]);
    expect((await person.call("GET", "/v1/customers/forged")).status).toBe(404);
  });

  test("lets a write of its own page through, by its person", async () => {
    const person = await signIn(api, "support");
    const body = { id: "made", name: "M", email: "m@example.com", currency: "usd" };
    const answer = await person.call("POST", "/v1/customers", body, { "sec-fetch-site": "same-origin" });
    expect(answer.status).toBe(201);
  });

  test("the password for development has to be right", async () => {
    const answer = await api.call(
      "POST",
      "/auth/local",
      { role: "admin", password: "guessed" },
      { key: null },
    );
    expect([answer.status, answer.body.code]).toEqual([401, "sign_in_refused"]);
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  test("answers carry the headers that browsers heed", async () => {
    const { headers } = await api.call("GET", "/v1/session");
    expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("strict-transport-security")).toMatch(/^max-age=\d+/);
  });
});
