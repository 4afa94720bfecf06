import { randomBytes } from "node:crypto";
import { defaultPayloadConverter, type Payload } from "@temporalio/common";
import { describe, expect, test } from "vitest";
import { dataConverterOf, payloadsText } from "../../src/temporal/data-converter.ts";
import { type PayloadKey, payloadCodec } from "../../src/temporal/payload-codec.ts";

const keyNamed = (id: string): PayloadKey => ({ id, secret: randomBytes(32) });
const [older, newer] = [keyNamed("2025"), keyNamed("2026")];
const facts = { subscriptionId: "sub_1", at: "2026-01-31T00:00:00.000Z" };
const plain = () => defaultPayloadConverter.toPayload(facts);
const readingOf = (payload: Payload | undefined) => payload && defaultPayloadConverter.fromPayload(payload);
const textOf = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString("latin1");

async function encrypted(...keys: PayloadKey[]): Promise<Payload> {
  const [payload] = await payloadCodec(keys).encode([plain()]);
  return payload ?? {};
}

describe("encrypting payloads", () => {
  test("what is encrypted says how, and nothing of what it says", async () => {
    const { metadata, data } = await encrypted(newer, older);
    expect(Object.fromEntries(Object.entries(metadata ?? {}).map(([k, v]) => [k, textOf(v)]))).toEqual({
      encoding: "binary/encrypted",
      "encryption-cipher": "AES-256-GCM",
      "encryption-key-id": "2026",
    });
    expect(textOf(data)).not.toContain("sub_1");
  });

  test("the same twice is not the same ciphertext", async () => {
    expect(textOf((await encrypted(newer)).data)).not.toBe(textOf((await encrypted(newer)).data));
  });

  test("every known key decrypts, whichever is active; what is plain stays plain", async () => {
    const mixed = [await encrypted(older), await encrypted(newer), plain()];
    const read = await payloadCodec([newer, older]).decode(mixed);
    expect(read.map(readingOf)).toEqual([facts, facts, facts]);
  });

  test("without keys nothing is encrypted", async () => {
    expect(await payloadCodec([]).encode([plain()])).toEqual([plain()]);
  });

  test.each([
    { keys: [newer], have: "known here are 2026" },
    { keys: [], have: "none is known here" },
  ])("a key that is not known is named: $have", async ({ keys, have }) => {
    const payload = await encrypted(older);
    await expect(payloadCodec(keys).decode([payload])).rejects.toThrow(
      `a payload is encrypted with the key "2025", and ${have}: add it to TEMPORAL_PAYLOAD_KEYS`,
    );
  });

  test.each([
    { what: "a changed byte", change: (payload: Payload) => flip(payload, 40) },
    { what: "a changed nonce", change: (payload: Payload) => flip(payload, 0) },
    { what: "a changed tag", change: (payload: Payload) => flip(payload, 12) },
    { what: "too little", change: ({ metadata }: Payload) => ({ metadata, data: Buffer.alloc(9) }) },
    { what: "another key's id", change: ({ data }: Payload) => ({ data, metadata: renamed("twin") }) },
  ])("$what is noticed", async ({ change }) => {
    const payload = change(await encrypted(newer)) as Payload;
    const codec = payloadCodec([newer, { ...newer, id: "twin" }]);
    await expect(codec.decode([payload])).rejects.toThrow();
  });

  function flip({ metadata, data }: Payload, at: number): Payload {
    const bytes = Buffer.from(data ?? []);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return { metadata: metadata ?? null, data: bytes };
  }

  function renamed(id: string) {
    return { encoding: Buffer.from("binary/encrypted"), "encryption-key-id": Buffer.from(id) };
  }
});

test("failures are encrypted where payloads are", () => {
  expect(dataConverterOf([newer]).failureConverterPath).toMatch(/encoded-failures\.ts$/);
  expect(dataConverterOf([]).failureConverterPath).toBeUndefined();
});

test.each([
  { keys: [], text: "plain: whoever reads Temporal's database reads them (TEMPORAL_PAYLOAD_KEYS)" },
  { keys: [newer], text: "encrypted with the key 2026" },
  { keys: [newer, older], text: "encrypted with the key 2026, and read with 2025 too" },
])("a start says: $text", ({ keys, text }) => {
  expect(payloadsText(keys)).toBe(text);
});
