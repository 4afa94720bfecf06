import type { HttpReply } from "../http/api.ts";

/** A page with the stand-in's look. `body` is HTML that is safe already. */
function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; color: #1a1f36; background: #f6f8fa; margin: 0; }
  main { max-width: 46rem; margin: 3rem auto; padding: 2rem; background: #fff; border-radius: 12px;
         box-shadow: 0 1px 4px rgb(0 0 0 / 12%); }
  h1 { font-size: 1.4rem; margin-top: 0; }
  table { width: 100%; border-collapse: collapse; margin: 1.5rem 0; }
  th, td { text-align: left; padding: .5rem .25rem; border-bottom: 1px solid #e3e8ee; }
  .amount { text-align: right; font-variant-numeric: tabular-nums; }
  .note { color: #5a6478; font-size: .9rem; }
  .status { display: inline-block; padding: .1rem .6rem; border-radius: 1rem; background: #e3e8ee; }
</style>
</head>
<body><main>
${body}
</main></body>
</html>`;
}

export function htmlReply(status: number, title: string, body: string): HttpReply {
  return { status, headers: { "Content-Type": "text/html; charset=utf-8" }, body: htmlPage(title, body) };
}

/** To another page, after a form was sent. */
export function redirect(to: string): HttpReply {
  return { status: 303, headers: { Location: to }, body: "" };
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
