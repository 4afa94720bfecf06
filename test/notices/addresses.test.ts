import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireEndpointUrl } from "../../src/domain/notices/index.ts";
import { isPublicAddress, lookupPublic } from "../../src/workers/notice-addresses.ts";
import { postJson } from "../../src/workers/notice-http.ts";
import { type Receiver, startReceiver } from "./support/receiver.ts";

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.close());

test.each([
  "127.0.0.1",
  "10.1.2.3",
  "172.31.255.255",
  "192.168.0.1",
  "169.254.169.254",
  "100.64.0.1",
  "0.0.0.0",
  "224.0.0.1",
  "255.255.255.255",
  "::1",
  "::",
  "fe80::1",
  "fc00::1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "2001:db8::1",
  "ff02::1",
  "localhost",
])("%s is not public", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(["8.8.8.8", "172.32.0.1", "192.0.3.1", "2606:4700:4700::1111", "2a00:1450:4001::1"])(
  "%s is public",
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

describe("nothing is sent to an address that is not public", () => {
  const refuse = { timeoutMs: 2_000, privateAllowed: false };
  // Every way to write 127.0.0.1 that a URL allows.
  test.each(["127.0.0.1", "0x7f.1", "2130706433", "017700000001", "[::1]", "[::ffff:7f00:1]", "localhost"])(
    "written as %s",
    async (host) => {
      const url = new URL(`https://${host}:${receiver.port}/`);
      await expect(postJson(url, {}, "{}", refuse)).rejects.toThrow("is not a public address");
      expect(receiver.received).toEqual([]);
    },
  );

  test("nor without TLS", async () => {
    await expect(postJson(new URL("http://8.8.8.8/"), {}, "{}", refuse)).rejects.toThrow("without TLS");
  });

  test("a name is refused when any of its addresses is not", async () => {
    const looked = new Promise((resolve) => lookupPublic("localhost", { all: true }, resolve));
    expect(await looked).toMatchObject({ message: expect.stringContaining("is not a public address") });
  });
});

test.each([
  { url: "ftp://example.com", fault: "must begin with https://" },
  { url: "http://example.com", fault: "must begin with https://" },
  { url: "https://user:word@example.com", fault: "must not hold a name or a password" },
  { url: "https://example.com/#part", fault: "must not have a part behind #" },
  { url: "example.com", fault: "must be a URL" },
])("$url is refused as an endpoint", ({ url, fault }) => {
  expect(() => requireEndpointUrl(url, { privateAllowed: false })).toThrow(fault);
});
