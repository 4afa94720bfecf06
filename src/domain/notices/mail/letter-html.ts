import { htmlText } from "../../html-text.ts";
import type { Letter, MailReader, Tone } from "./letter.ts";

/** Mail programs know no style sheets, so each element carries its style; the colours are those of the invoice document. */
const [ink, soft, line, tint, accent] = ["#1b2430", "#5b6776", "#dfe4ea", "#f5f7fa", "#0b5c6b"];
const toneColours: Readonly<Record<Tone, string>> = { good: "#1c6b3c", plain: ink, bad: "#9b2c2c" };
const font = 'font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif';

/** A letter as one HTML page in which nothing is fetched. */
export function letterHtml(letter: Letter, { name, seller }: MailReader): string {
  const { title, headline, paragraphs, particulars, action } = letter;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>${htmlText(letter.subject)}</title>
</head>
<body style="margin:0;padding:0;background:${tint}">
<div style="display:none;max-height:0;overflow:hidden">${htmlText(paragraphs[0] ?? title)}</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:${tint}"><tr><td align="center" style="padding:32px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#ffffff;border:1px solid ${line};border-radius:10px;${htmlText(font)};font-size:15px;line-height:1.5;color:${ink};text-align:left"><tr><td style="padding:32px">
${seller === null ? "" : `<p style="margin:0 0 16px;font-size:17px;font-weight:600">${htmlText(seller)}</p>`}
<h1 style="margin:0 0 20px;padding:0 0 16px;border-bottom:3px solid ${accent};font-size:22px;line-height:1.3;font-weight:650;color:${accent}">${htmlText(title)}</h1>
<p style="margin:0 0 14px">Hello ${htmlText(name)},</p>
${headline === null ? "" : headlineHtml(headline)}
${paragraphs.map((text) => `<p style="margin:0 0 14px">${htmlText(text)}</p>`).join("\n")}
${particulars.length === 0 ? "" : particularsHtml(particulars)}
${action === null ? "" : actionHtml(action)}
</td></tr></table>
</td></tr></table>
</body>
</html>
`;
}

const headlineHtml = ({ name, text, tone }: NonNullable<Letter["headline"]>) =>
  `<div style="margin:0 0 20px;padding:16px 20px;background:${tint};border-radius:8px"><p style="margin:0;font-size:14px;color:${soft}">${htmlText(name)}</p><p style="margin:0;font-size:28px;line-height:1.25;font-weight:650;color:${toneColours[tone]}">${htmlText(text)}</p></div>`;

const particularsHtml = (particulars: Letter["particulars"]) =>
  `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin:6px 0 14px;border-top:1px solid ${line};font-size:14px">${particulars
    .map(
      ({ name, text }) =>
        `<tr><td style="padding:8px 12px 8px 0;border-bottom:1px solid ${line};color:${soft}">${htmlText(name)}</td><td align="right" style="padding:8px 0;border-bottom:1px solid ${line};overflow-wrap:anywhere">${htmlText(text)}</td></tr>`,
    )
    .join("")}</table>`;

const actionHtml = ({ label, url }: NonNullable<Letter["action"]>) =>
  `<p style="margin:20px 0 0"><a href="${htmlText(url)}" style="display:inline-block;padding:11px 20px;border-radius:8px;background:${accent};color:#ffffff;font-weight:600;text-decoration:none">${htmlText(label)}</a></p>`;
