import { z } from "zod";
import type { PayloadKey } from "../temporal/payload-codec.ts";

const shape =
  "must be keys as ID=SECRET, separated by commas, each secret 32 bytes in base64, such as 2026-11=… (openssl rand -base64 32)";

/** "2026-11=…,2025-11=…": the first encrypts, all of them decrypt. No message repeats a secret. */
export const payloadKeys = z.string().transform((text, context): readonly PayloadKey[] => {
  const keys = new Map<string, PayloadKey>();
  for (const part of text.split(",")) {
    // Base64 ends with the sign that stands between id and secret.
    const [, id = "", secret = ""] = /^\s*([A-Za-z0-9._-]{1,64})=([A-Za-z0-9+/]{43}=)\s*$/.exec(part) ?? [];
    if (id === "" || keys.has(id)) {
      context.addIssue(id === "" ? shape : `must name each key once: ${id} is there twice`);
      return z.NEVER;
    }
    keys.set(id, { id, secret: Buffer.from(secret, "base64") });
  }
  return [...keys.values()];
});

/** "http://localhost:8233,https://temporal.example": what a browser calls the pages' origins. */
export const webOrigins = z.string().transform((text, context): readonly string[] => {
  const origins = text.split(",").map((origin) => origin.trim());
  const wrong = origins.find((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin);
  if (wrong === undefined) return origins;
  context.addIssue("must be origins such as http://localhost:8233, without a path, separated by commas");
  return z.NEVER;
});
