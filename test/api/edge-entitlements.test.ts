import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { snapshotSigner } from "../../src/api/entitlements/snapshot-signer.ts";
import { snapshotClaimsSchema } from "../../src/api/entitlements/snapshot-wire.ts";
import {
  type LocalEntitlementsOptions,
  type LocalQuestion,
  markedEvent,
  openEntitlements,
} from "../../src/sdk/entitlements/index.ts";
import { type EntitlementApi, entitlementCatalog, startEntitlementApi } from "./support/entitlement-api.ts";
import { wallClock } from "./support/running-api.ts";

const secrets = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

let api: EntitlementApi;
let wire: Wire;
beforeAll(async () => {
  // The first one signs; it is taken out and put in again by tests.
  api = await startEntitlementApi({ entitlementKeys: secrets });
  const features = entitlementCatalog.features.map((feature) =>
    feature.key === "requests"
      ? { ...feature, when_cut_off: { use: "allowed_up_to", quantity: "3" } }
      : feature.key === "tokens"
        ? { ...feature, when_cut_off: { use: "allowed" } }
        : feature,
  );
  const published = await api.call("PUT", "/v1/catalog", { ...entitlementCatalog, features });
  expect(published.status).toBe(200);
  wire = await openWire(api.url);
});
afterAll(async () => {
  await wire.close();
  await api.stop();
});

/** A line to the API that can be cut. */
interface Wire {
  readonly url: string;
  /** What is asked while it is up, by path. */
  readonly asked: { readonly path: string; readonly lastEventId: string | undefined }[];
  isCut: boolean;
  close(): Promise<void>;
}

async function openWire(target: string): Promise<Wire> {
  const asked: Wire["asked"] = [];
  const state = { isCut: false };
  const server: Server = createServer((incoming, outgoing) => {
    if (state.isCut) return incoming.socket.destroy();
    const { "last-event-id": id } = incoming.headers;
    asked.push({ path: incoming.url ?? "", lastEventId: typeof id === "string" ? id : undefined });
    const onward = request(
      `${target}${incoming.url}`,
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.on("data", (piece) => {
          if (state.isCut) incoming.socket.destroy();
          else outgoing.write(piece);
        });
        answer.on("end", () => outgoing.end());
      },
    );
    outgoing.on("close", () => onward.destroy());
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    get isCut() {
      return state.isCut;
    },
    set isCut(isCut) {
      state.isCut = isCut;
      if (isCut) server.closeAllConnections();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The SDK beside a clock that tests move: the API's stands still. */
function open(customer: string, options: Partial<LocalEntitlementsOptions> = {}) {
  const problems: unknown[] = [];
  const clock = { ms: Number(wallClock) };
  const local = openEntitlements({
    ...{ baseUrl: wire.url, apiKey: api.adminKey, customer, backoffFirstMs: 5, backoffMaxMs: 20 },
    now: () => clock.ms,
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
  onTestFinished(async () => {
    wire.isCut = false;
    await local.close();
  });
  return { local, clock, problems };
}

const codesOf = (problems: readonly unknown[]) =>
  new Set(problems.map((problem) => (problem as { code?: string }).code));

describe("held here, it answers as the API does", () => {
  test("every kind of feature, and who has used what", async () => {
    await api.subscribe("same", "pro");
    await api.use("same", { user: "u1", tokens: 400 });
    await api.use("same", { user: "u1", tokens: 500 });
    await api.use("same", { user: "u2" });
    await api.use("same", { type: "job" });
    const { local } = open("same");
    expect(await local.ready()).toBe(true);
    const questions: LocalQuestion[] = [
      { feature: "sso" },
      { feature: "support" },
      { feature: "models", value: "small" },
      { feature: "models", value: "large" },
      { feature: "projects", value: "5" },
      { feature: "projects", value: "6" },
      { feature: "requests" },
      { feature: "requests", subject: { user: "u1" } },
      { feature: "requests", quantity: "2", subject: { user: "u1" } },
      { feature: "requests", quantity: "2", subject: { user: "u2" } },
      { feature: "requests", quantity: "3", subject: { user: "u3" } },
      { feature: "requests", quantity: "4", subject: { user: "u3" } },
      { feature: "tokens", quantity: "100" },
      { feature: "tokens", quantity: "101" },
      { feature: "jobs" },
      { feature: "jobs", quantity: "2" },
    ];
    for (const { subject = {}, ...asked } of questions) {
      const { body } = await api.check("same", [asked], subject);
      const { allowed, reason, basis } = local.check({ ...asked, subject });
      expect({ asked, subject, allowed, reason, basis }).toEqual({
        ...{ asked, subject, basis: "current" },
        ...{ allowed: body.features[0].allowed, reason: body.features[0].reason },
      });
    }
    expect(local.check({ feature: "flying" }).reason).toBe("feature_unknown");
    expect(local.check({ feature: "requests", quantity: "-1" }).reason).toBe("quantity_invalid");
  });

  test("a budget that is spent denies what it caps, and nothing else", async () => {
    await api.subscribe("broke", "pro");
    await api.use("broke", { tokens: 2_999 }); // 1,999 beyond what is included: 19.99 of 20
    const { local } = open("broke");
    await local.ready();
    expect(local.check({ feature: "tokens" }).reason).toBe("beyond_allowance");
    await api.use("broke", { tokens: 1 });
    await expect.poll(() => local.check({ feature: "tokens" }).reason).toBe("budget_reached");
    expect(local.check({ feature: "requests", subject: { user: "u1" } }).allowed).toBe(true);
  });

  test("what is committed is seen soon, and only what has changed is sent", async () => {
    await api.subscribe("changing", "pro");
    const { local } = open("changing");
    await local.ready();
    expect(local.check({ feature: "sso" }).reason).toBe("not_entitled");
    const grant = await api.give("changing", { feature: "sso" });
    await expect.poll(() => local.check({ feature: "sso" }).allowed, { interval: 5 }).toBe(true);
    await api.call("POST", `/v1/feature-grants/${grant.body.id}/end`, {});
    await expect.poll(() => local.check({ feature: "sso" }).allowed, { interval: 5 }).toBe(false);
  });
});

describe("cut off", () => {
  test("by the policy of each feature; what was let through is reported, flagged, and settled once", async () => {
    await api.subscribe("cut", "pro");
    const { local, clock } = open("cut");
    await local.ready();
    wire.isCut = true;
    expect(local.check({ feature: "jobs" }).basis).toBe("current"); // a moment ago
    clock.ms += 6_000;
    expect(local.isCurrent).toBe(false);
    const ask = (feature: string, quantity = "1", more: Partial<LocalQuestion> = {}) => {
      const { allowed, reason, basis } = local.check({ feature, quantity, subject: { user: "u1" }, ...more });
      return [allowed, reason, basis];
    };
    expect(ask("support")).toEqual([true, "cut_off", "cut_off"]); // by itself it is right until it changes
    expect(ask("sso")).toEqual([false, "not_entitled", "cut_off"]); // was not given
    expect(ask("models", "1", { value: "large" })).toEqual([false, "value_not_included", "cut_off"]);
    expect(ask("jobs")).toEqual([false, "cut_off", "cut_off"]); // metered, and nothing else was said
    expect(ask("tokens", "5000")).toEqual([true, "cut_off", "cut_off"]);
    expect(ask("requests", "2.5")).toEqual([true, "cut_off", "cut_off"]);
    expect(ask("requests", "1")).toEqual([false, "cut_off_amount_reached", "cut_off"]); // 3.5 of 3
    const decision = local.check({ feature: "requests", quantity: "0.5" });
    expect(decision.allowed).toBe(true);
    const event = { id: "e-cut", customer: "cut", type: "request", data: { user: "u1", tokens: 5_000 } };
    const marked = markedEvent({ ...event, source: "test", time: "2026-03-01T11:59:00Z" }, decision);
    expect(marked.data).toEqual({ user: "u1", tokens: 5_000, let_through: decision.cutOff });
    wire.isCut = false;
    expect((await api.call("POST", "/v1/events", marked)).body.accepted).toBe(1);
    await expect.poll(() => local.isCurrent, { timeout: 5_000 }).toBe(true);
    await expect
      .poll(async () => (await api.call("GET", "/v1/customers/cut/edge-cut-offs")).body.data)
      .toMatchObject([
        {
          id: decision.cutOff,
          began_at: "2026-03-01T12:00:06.000Z",
          events_reported: 1,
          features: [
            { feature: "jobs", policy: "denied", allowed: 0, quantity: "0", denied: 1 },
            { feature: "requests", policy: "allowed_up_to", allowed: 2, quantity: "3", denied: 1 },
            { feature: "support", policy: "allowed", allowed: 1, quantity: "1", denied: 0 },
            { feature: "tokens", policy: "allowed", allowed: 1, quantity: "5000", denied: 0 },
          ],
        },
      ]);
    expect(await local.settle()).toBe(true);
    expect(markedEvent(event, local.check({ feature: "support" }))).toBe(event);
    const [{ id, features }] = (await api.call("GET", "/v1/customers/cut/edge-cut-offs")).body.data;
    const again = { id, began_at: wallClock, ended_at: wallClock, position: null, features };
    const times = { began_at: "2026-03-01T12:00:00Z", ended_at: "2026-03-01T12:00:00Z" };
    const repeated = await api.call("POST", "/v1/customers/cut/edge-cut-offs", { ...again, ...times });
    expect(repeated.body.began_at).toBe("2026-03-01T12:00:06.000Z"); // the first stands
    const stolen = await api.call("POST", "/v1/customers/same/edge-cut-offs", { ...again, ...times });
    expect([stolen.status, stolen.body.code]).toEqual([422, "edge_cut_off_id_used"]);
  });

  test("who comes again says what he has, and is sent only what he does not have", async () => {
    await api.subscribe("resuming", "pro");
    const contents: unknown[] = [];
    const { local } = open("resuming", { onChange: (content) => contents.push(content) });
    await local.ready();
    const { digest } = local.held ?? {};
    const streams = () => wire.asked.filter(({ path }) => path.includes("/resuming/entitlements/stream"));
    expect(streams().map(({ lastEventId }) => lastEventId)).toEqual([undefined]);
    wire.isCut = true;
    wire.isCut = false;
    await expect.poll(() => streams().length).toBe(2);
    expect(streams()[1]?.lastEventId).toBe(digest);
    const resumed = await fetch(`${api.url}/v1/customers/resuming/entitlements/stream`, {
      headers: { authorization: `Bearer ${api.adminKey}`, "last-event-id": digest ?? "" },
    });
    const { value } = (await resumed.body?.getReader().read()) ?? {};
    expect(new TextDecoder().decode(value)).toMatch(new RegExp(`^id: ${digest}\nevent: renewal\ndata: `));
    wire.isCut = true;
    await api.give("resuming", { feature: "sso" });
    wire.isCut = false;
    await expect.poll(() => local.check({ feature: "sso" }).allowed, { interval: 5 }).toBe(true);
    expect(contents).toHaveLength(2);
  });

  test.each([
    { given: {}, allowed: false },
    { given: { whenNothingKnown: "allowed" as const }, allowed: true },
  ])("before anything was heard everything is allowed: $allowed", async ({ given, allowed }) => {
    wire.isCut = true;
    const { local } = open("same", given);
    expect(await local.ready({ deadlineMs: 20 })).toBe(false);
    expect(local.check({ feature: "sso" })).toMatchObject({ allowed, reason: "nothing_known" });
  });

  test("a customer that there is not, or a key that may not, is a problem that is told", async () => {
    const { local, problems } = open("nobody");
    await local.ready({ deadlineMs: 200 });
    expect(local.check({ feature: "sso" }).reason).toBe("nothing_known");
    expect(problems[0]).toMatchObject({ status: 404 });
  });
});

describe("only what is rightly signed, and not older than what is held, is taken", () => {
  const snapshotOf = async (customer: string): Promise<string> =>
    (await api.call("GET", `/v1/customers/${customer}/entitlements/snapshot`)).body.snapshot;
  const offline = (customer: string, options: Partial<LocalEntitlementsOptions> = {}) =>
    open(customer, { follow: false, silenceMsMax: 60_000, ...options });

  test("its claims are what the document says, and it can be carried to who has the key alone", async () => {
    const { body } = await api.call("GET", "/v1/customers/same/entitlements/snapshot");
    expect(snapshotClaimsSchema.parse(body.claims)).toEqual(body.claims);
    const { keys } = (await api.call("GET", "/v1/entitlements/keys")).body;
    expect(keys).toEqual([...snapshotSigner(secrets).publicKeys]);
    const { local, clock } = offline("same", {
      keys,
      fetch: () => Promise.reject(new Error("nobody is asked")),
    });
    await local.load(body.snapshot);
    expect(local.check({ feature: "models", value: "small" })).toMatchObject({
      allowed: true,
      basis: "current",
    });
    clock.ms += 61_000;
    expect(local.check({ feature: "models", value: "small" }).basis).toBe("cut_off");
    await expect(offline("same").local.refresh()).resolves.toMatch(/^ey/);
  });

  test("changed on the way", async () => {
    const signed = await snapshotOf("same");
    const [head = "", payload = "", signature = ""] = signed.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    claims.content.features.sso.denied = null;
    const forged = Buffer.from(JSON.stringify(claims)).toString("base64url");
    const none = Buffer.from('{"alg":"none","kid":"x"}').toString("base64url");
    const stranger = snapshotSigner([Buffer.alloc(32, 9)]).sign(claims);
    const { local } = offline("same");
    for (const [text, code] of [
      [`${head}.${forged}.${signature}`, "signature_wrong"],
      [`${head}.${payload}.`, "signature_wrong"],
      [`${none}.${forged}.`, "snapshot_malformed"],
      [`${signed}.more`, "snapshot_malformed"],
      ["", "snapshot_malformed"],
      [stranger, "key_unknown"],
    ] as const) {
      await expect(local.load(text), text).rejects.toMatchObject({ code });
    }
    expect(local.check({ feature: "sso" }).reason).toBe("nothing_known");
  });

  test("kept from before a change, of another customer, or from too long ago", async () => {
    await api.subscribe("replayed", "pro");
    const grant = await api.give("replayed", { feature: "sso" });
    const before = await snapshotOf("replayed");
    await api.call("POST", `/v1/feature-grants/${grant.body.id}/end`, {});
    const after = await snapshotOf("replayed");
    const { local, clock } = offline("replayed");
    await local.load(before);
    expect(local.check({ feature: "sso" }).allowed).toBe(true);
    await local.load(after);
    await expect(local.load(before)).rejects.toMatchObject({ code: "snapshot_older" });
    await expect(local.load(await snapshotOf("same"))).rejects.toMatchObject({ code: "snapshot_of_another" });
    expect(local.check({ feature: "sso" }).allowed).toBe(false);
    clock.ms += 126_000;
    for (const old of [before, after]) {
      await expect(local.load(old)).rejects.toMatchObject({ code: "snapshot_expired" });
    }
  });

  test("keys are replaced: the next one is known before it signs, and what the last one signed holds", async () => {
    const claims = (await api.call("GET", "/v1/customers/same/entitlements/snapshot")).body.claims;
    const [older = Buffer.alloc(0), newer = Buffer.alloc(0)] = secrets;
    const byNewer = snapshotSigner([newer, older]);
    const { local } = offline("same");
    await local.load(await snapshotOf("same")); // by the older one: keys are asked for
    const asked = wire.asked.filter(({ path }) => path === "/v1/entitlements/keys").length;
    await local.load(byNewer.sign(claims));
    expect(wire.asked.filter(({ path }) => path === "/v1/entitlements/keys").length).toBe(asked);
    const pinned = offline("same", { keys: snapshotSigner([newer]).publicKeys });
    await pinned.local.load(byNewer.sign(claims));
    await expect(pinned.local.load(await snapshotOf("same"))).rejects.toMatchObject({ code: "key_unknown" });
  });

  test("on the stream a line that does not verify ends the connection, and nothing of it is used", async () => {
    const other = snapshotSigner([Buffer.alloc(32, 9)]);
    const { local, problems } = open("same", { keys: other.publicKeys });
    expect(await local.ready({ deadlineMs: 300 })).toBe(false);
    expect(codesOf(problems)).toEqual(new Set(["key_unknown"]));
    expect(local.held).toBeUndefined();
  });
});
