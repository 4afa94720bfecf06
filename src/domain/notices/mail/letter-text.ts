import type { Letter, MailReader } from "./letter.ts";

/** A letter as plain text, for whoever reads it so. */
export function letterText(letter: Letter, { name, seller }: MailReader): string {
  const { title, headline, paragraphs, particulars, action } = letter;
  const width = Math.max(0, ...particulars.map((particular) => particular.name.length));
  const blocks = [
    title,
    `Hello ${name},`,
    ...(headline === null ? [] : [`${headline.name}: ${headline.text}`]),
    ...paragraphs,
    ...(particulars.length === 0
      ? []
      : [particulars.map((each) => `${`${each.name}:`.padEnd(width + 2)}${each.text}`).join("\n")]),
    ...(action === null ? [] : [`${action.label}: ${action.url}`]),
    ...(seller === null ? [] : [seller]),
  ];
  return `${blocks.join("\n\n")}\n`;
}
