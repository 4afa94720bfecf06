import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Builds the console to dist/console, where `src/api/console-assets.ts` serves it under /console. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/console/",
  plugins: [react()],
  build: {
    outDir: "../../dist/console",
    emptyOutDir: true,
    target: "es2023",
    // Nothing is inlined, so that pages can be served under a content security policy without data: scripts.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  // For work on the console itself: `vite dev` beside an API on its usual port.
  server: { proxy: { "/v1": "http://127.0.0.1:8155" } },
});
