import { Readable } from "node:stream";
import { z } from "zod";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import type { FollowedChanges } from "../entitlements/followed-changes.ts";
import { snapshotEvents } from "../entitlements/snapshot-events.ts";
import { SnapshotFeed } from "../entitlements/snapshot-feed.ts";
import { type SnapshotSigner, snapshotSigner } from "../entitlements/snapshot-signer.ts";
import { snapshotClaimsSchema } from "../entitlements/snapshot-wire.ts";
import { RequestRefusedError } from "../refusals.ts";
import { idParams } from "../wire.ts";

type SnapshotDependencies = Pick<ApiDependencies, "db" | "now" | "entitlementKeys">;

const tags = ["Entitlements"];
const unavailable = "entitlement_snapshots_unavailable";
/** Each holds a connection. */
const streamsMax = 10_000;

const keysSchema = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal("EC"),
        crv: z.literal("P-256"),
        x: z.string(),
        y: z.string(),
        kid: z.string(),
        alg: z.literal("ES256"),
        use: z.literal("sig"),
      }),
    ),
  })
  .meta({ id: "EntitlementKeys" });

const signedSchema = z
  .object({
    snapshot: z.string().describe("A JWS in its compact form (ES256); its payload are the claims."),
    claims: snapshotClaimsSchema.describe("The same, not signed: to be read by people."),
  })
  .meta({ id: "SignedEntitlementSnapshot" });

/** What a customer may use, signed, for who answers where the product runs: once, as a stream, and the keys to verify it. */
export function entitlementSnapshotRoutes(
  api: ApiInstance,
  deps: SnapshotDependencies,
  changes: FollowedChanges,
): void {
  let signing: SnapshotSigner | undefined;
  const signer = () => {
    signing ??= snapshotSigner(deps.entitlementKeys ?? []);
    return signing;
  };
  const feed = new SnapshotFeed({ ...deps, changes, signer });
  // Streams end before the server waits for its connections.
  api.addHook("preClose", async () => feed.close());
  getKeys(api, signer);
  getSnapshot(api, feed);
  streamSnapshots(api, feed);
}

function getKeys(api: ApiInstance, signer: () => SnapshotSigner): void {
  api.get(
    "/v1/entitlements/keys",
    {
      config: { scope: "read", refusals: [unavailable] },
      schema: {
        tags,
        summary: "The public keys that snapshots are signed with, as a JSON Web Key Set",
        description: "The first signs. Others are there while what they have signed is used.",
        response: { 200: keysSchema },
      },
    },
    async () => ({ keys: [...signer().publicKeys] }),
  );
}

function getSnapshot(api: ApiInstance, feed: SnapshotFeed): void {
  api.get(
    "/v1/customers/:id/entitlements/snapshot",
    {
      config: { scope: "read", refusals: ["customer_not_found", unavailable] },
      schema: {
        tags,
        summary: "A signed snapshot of what a customer may use now",
        description:
          "May be kept anywhere: who has the public key sees that it is whole, and until when it holds.",
        params: idParams,
        response: { 200: signedSchema },
      },
    },
    async ({ params: { id } }) => {
      const snapshot = (await feed.current(id)).signed();
      const [, payload = ""] = snapshot.split(".");
      const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
      return { snapshot, claims: snapshotClaimsSchema.parse(claims) };
    },
  );
}

function streamSnapshots(api: ApiInstance, feed: SnapshotFeed): void {
  let open = 0;
  api.get(
    "/v1/customers/:id/entitlements/stream",
    {
      config: { scope: "read", refusals: ["customer_not_found", unavailable], isFrequent: true },
      schema: {
        tags,
        summary: "Follow what a customer may use, by server-sent events",
        description:
          "`snapshot` when it has changed, `renewal` (the claims without the content) while it has not, both signed, and a comment every " +
          "two seconds. Who comes again with `Last-Event-ID` is sent only what he does not have.",
        params: idParams,
        headers: z.object({ "last-event-id": z.string().max(100).optional() }),
        response: { 200: { content: { "text/event-stream": { schema: z.string() } } } },
      },
    },
    async ({ params: { id }, headers }, reply) => {
      if (open >= streamsMax) {
        reply.header("retry-after", "5");
        throw new RequestRefusedError("too_many_requests", "this process has as many streams as it takes");
      }
      // Whatever is refused is refused before the stream begins.
      await feed.current(id);
      open += 1;
      const events = Readable.from(snapshotEvents(feed, id, headers["last-event-id"]), { highWaterMark: 1 });
      events.once("close", () => {
        open -= 1;
      });
      // When it ends, so does its connection: one that is kept would hold up the end of this process.
      reply.header("connection", "close");
      reply.header("cache-control", "no-store").header("x-accel-buffering", "no");
      return reply.type("text/event-stream").send(events as never);
    },
  );
}
