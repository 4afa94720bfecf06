import type { FastifyReply, FastifyRequest } from "fastify";

/** Only this server gets it, scripts never, and it does not go along when another site links or posts to us. */
interface CookieOptions {
  readonly isSecure: boolean;
  /** `lax` goes along when another site sends the browser here, as a provider does after signing in. */
  readonly sameSite: "strict" | "lax";
  /** 0 takes it away. */
  readonly maxAgeSeconds: number;
}

/** Under `__Host-` a browser takes it from this host alone and over TLS alone. */
const nameOf = (name: string, isSecure: boolean): string => (isSecure ? `__Host-${name}` : name);

export function setCookie(reply: FastifyReply, name: string, value: string, options: CookieOptions): void {
  const { isSecure, sameSite, maxAgeSeconds } = options;
  const parts = [
    `${nameOf(name, isSecure)}=${value}`,
    "Path=/",
    `Max-Age=${maxAgeSeconds}`,
    "HttpOnly",
    `SameSite=${sameSite === "lax" ? "Lax" : "Strict"}`,
    ...(isSecure ? ["Secure"] : []),
  ];
  const others = [reply.getHeader("set-cookie") ?? []].flat().map(String);
  reply.header("set-cookie", [...others, parts.join("; ")]);
}

/** What came under a name; undefined when nothing did, or something that we do not send. */
export function cookieOf({ headers }: FastifyRequest, name: string, isSecure: boolean): string | undefined {
  const start = `${nameOf(name, isSecure)}=`;
  const found = (headers.cookie ?? "").split(/; */).find((pair) => pair.startsWith(start));
  const value = found?.slice(start.length);
  return value !== undefined && /^[A-Za-z0-9_.-]{1,2000}$/.test(value) ? value : undefined;
}
