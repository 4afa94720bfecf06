import { htmlText } from "../../domain/html-text.ts";
import type { KeptMail } from "./mailbox.ts";

/** All mails, the newest first. */
export function listPage(mails: readonly KeptMail[]): string {
  const rows = mails.map(
    ({ id, receivedAt, to, subject }) =>
      `<tr><td class="time">${receivedAt.slice(0, 19).replace("T", " ")}</td><td>${htmlText(to)}</td><td><a href="/mails/${id}">${htmlText(subject)}</a></td></tr>`,
  );
  const table =
    rows.length === 0
      ? "<p>No mail yet. Whatever Reckoner writes to customers here arrives on this page.</p>"
      : `<table><thead><tr><th>Received (UTC)</th><th>To</th><th>Subject</th></tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
  return page("Mailbox", `<h1>Mailbox</h1>${table}`);
}

/** One mail: as a mail program shows it, and as text. */
export function mailPage({ id, from, to, subject, text, receivedAt }: KeptMail): string {
  return page(
    subject,
    `<p><a href="/">All mails</a></p><h1>${htmlText(subject)}</h1>
<p class="time">From ${htmlText(from)} to ${htmlText(to)}, received ${receivedAt}</p>
<iframe title="The mail" sandbox src="/mails/${id}/html"></iframe>
<h2>As text</h2><pre>${htmlText(text)}</pre>`,
  );
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${htmlText(title)}</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;color:#1b2430;background:#f5f7fa;margin:0}
main{max-width:56rem;margin:2rem auto;padding:2rem;background:#fff;border:1px solid #dfe4ea;border-radius:10px}
h1{font-size:1.4rem;margin-top:0}h2{font-size:1rem}
table{width:100%;border-collapse:collapse}th,td{text-align:left;padding:.5rem .5rem .5rem 0;border-bottom:1px solid #dfe4ea}
.time{color:#5b6776;font-size:.875rem;font-variant-numeric:tabular-nums;white-space:nowrap}
iframe{width:100%;height:36rem;border:1px solid #dfe4ea;border-radius:8px}
pre{white-space:pre-wrap;padding:1rem;background:#f5f7fa;border-radius:8px}
</style>
</head>
<body><main>${body}</main></body>
</html>
`;
}
