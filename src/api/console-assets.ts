import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import serveStatic from "@fastify/static";
import type { ApiInstance } from "./api-instance.ts";

/** Where `npm run console:build` puts the console. */
export const builtConsoleFolder = join(import.meta.dirname, "../../dist/console");

/** The page runs our own scripts and speaks to this server, nothing else; styles are partly written by its components. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * The console under /console: its files, and its one page for every other address below, which the page itself
 * understands. Without a build it says what to do.
 */
export async function consoleAssets(api: ApiInstance, folder = builtConsoleFolder): Promise<void> {
  const page = join(folder, "index.html");
  // In a scope of its own: only here does an unknown address get a page instead of a problem.
  await api.register(
    async (scope: ApiInstance) => {
      scope.addHook("onSend", async (_request, reply) => {
        reply.header("content-security-policy", contentSecurityPolicy);
        reply.header("referrer-policy", "no-referrer");
        reply.header("x-content-type-options", "nosniff");
      });
      if (!existsSync(page)) {
        scope.setNotFoundHandler((_request, reply) =>
          reply.code(503).type("text/plain").send("The console is not built: run `npm run console:build`.\n"),
        );
        return;
      }
      await serveFiles(scope, folder);
    },
    { prefix: "/console" },
  );
}

async function serveFiles(scope: ApiInstance, folder: string): Promise<void> {
  await scope.register(serveStatic, {
    root: folder,
    cacheControl: false,
    setHeaders: (reply, path) => {
      // The names under assets/ hold a hash of the content; the page's own name does not.
      const isHashed = path.startsWith(join(folder, "assets"));
      reply.header("cache-control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
  scope.setNotFoundHandler((request, reply) => {
    const { pathname } = new URL(request.url, "http://console");
    const isPage = (request.method === "GET" || request.method === "HEAD") && !isFile(pathname);
    return isPage ? reply.sendFile("index.html") : reply.code(404).type("text/plain").send("Not found\n");
  });
}

/** Ids in an address may hold dots; only what lies where files lie is one. */
const isFile = (pathname: string): boolean =>
  pathname.startsWith("/console/assets/") && extname(pathname) !== "";
