import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { NoticeNotVerifiedError, verifyNotice } from "../../src/sdk/index.ts";

const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const other = `whsec_${Buffer.alloc(32, 2).toString("base64")}`;
const at = new Date("2026-03-01T12:00:00Z");
const notice = {
  id: "ntc_1",
  type: "invoice.issued",
  sequence: "1",
  timestamp: at.toISOString(),
  data: { a: "é" },
};
const body = JSON.stringify(notice);

/** As Standard Webhooks' own library signs. */
const signedWith = (...secrets: string[]) => ({
  "Webhook-Id": "ntc_1",
  "Webhook-Timestamp": String(at.getTime() / 1_000),
  "Webhook-Signature": secrets.map((each) => new Webhook(each).sign("ntc_1", at, body)).join(" "),
});
const now = () => at;

describe("a notice is verified", () => {
  test.each([
    { what: "with its secret", headers: signedWith(secret), secrets: secret },
    { what: "with one of two signatures", headers: signedWith(other, secret), secrets: secret },
    { what: "with one of two secrets", headers: signedWith(secret), secrets: [other, secret] },
    { what: "from Headers", headers: new Headers(signedWith(secret)), secrets: secret },
  ])("$what", async ({ headers, secrets }) => {
    expect(await verifyNotice({ body, headers, secret: secrets, now })).toEqual(notice);
  });

  test.each([
    { what: "with another secret", change: { secret: other } },
    { what: "when its body was changed", change: { body: `${body} ` } },
    { what: "when it is six minutes old", change: { now: () => new Date(at.getTime() + 360_000) } },
    { what: "when it is from the future", change: { now: () => new Date(at.getTime() - 360_000) } },
    { what: "without headers", change: { headers: {} } },
    {
      what: "with a signature of another kind",
      change: { headers: { ...signedWith(secret), "Webhook-Signature": "v1a,AAAA v1,not-base64!" } },
    },
    { what: "with a secret that is none", change: { secret: "whsec_!" } },
  ])("not $what", async ({ change }) => {
    const verifying = verifyNotice({ body, headers: signedWith(secret), secret, now, ...change });
    await expect(verifying).rejects.toThrow(NoticeNotVerifiedError);
  });
});
