import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** 256 random bits that fit into a URL. */
export const randomSecret = () => randomBytes(32).toString("base64url");

/** Reads what an earlier start kept in `file`, or makes it and keeps it where only our account can read it. */
export async function keptSecret<Secret>(
  file: string,
  make: () => Secret | Promise<Secret>,
): Promise<Secret> {
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
  const secret = await make();
  writePrivately(file, secret);
  return secret;
}

/** Writes JSON that only our account can read. */
export function writePrivately(file: string, content: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
}
