import type {
  DocumentGroup,
  DocumentLine,
  DocumentParty,
  InvoiceDocument,
} from "../../domain/invoicing/document/index.ts";
import { accent, ink, line, PdfSheet, soft, tint, tones } from "./pdf-sheet.ts";

/** A document as a PDF, on A4. @param madeAt what the file says of when it was made: the same every time */
export async function documentPdf(document: InvoiceDocument, madeAt: Date): Promise<Buffer> {
  const { title, number, seller, customer } = document;
  const name = number === null ? title : `${title} ${number}`;
  const sheet = new PdfSheet(name, seller?.name ?? "", madeAt);
  writeHead(sheet, document);
  writeAbout(sheet, document);
  writeHeadline(sheet, document);
  for (const group of document.groups) writeGroup(sheet, group);
  writeSums(sheet, document);
  writeNotes(sheet, document);
  return await sheet.end(`${name} · ${customer.name}`);
}

function writeHead(sheet: PdfSheet, { seller, title, number }: InvoiceDocument): void {
  const half = sheet.width / 2;
  const top = sheet.y;
  if (seller !== null) writeParty(sheet, seller, { x: sheet.left, width: half, size: 13 });
  const below = sheet.y;
  sheet.y = top;
  const style = { x: sheet.left + half, width: half, align: "right" } as const;
  sheet.writeLines([title], { ...style, size: 20, color: accent, isBold: true });
  if (number !== null) sheet.writeLines([number], { ...style, size: 11, color: soft });
  sheet.y = Math.max(below, sheet.y) + 12;
  sheet.rule(accent, 2);
  sheet.y += 18;
}

function writeParty(
  sheet: PdfSheet,
  { name, lines }: DocumentParty,
  { size, ...place }: { readonly x: number; readonly width: number; readonly size: number },
): void {
  sheet.writeLines([name], { ...place, size, isBold: true });
  sheet.y += 2;
  sheet.writeLines(lines, { ...place, color: soft });
}

function writeAbout(sheet: PdfSheet, { customer, particulars }: InvoiceDocument): void {
  const half = sheet.width / 2;
  const top = sheet.y;
  sheet.writeLines(["BILLED TO"], { x: sheet.left, width: half, size: 7.5, color: soft, isBold: true });
  sheet.y += 2;
  writeParty(sheet, customer, { x: sheet.left, width: half - 20, size: 10.5 });
  const below = sheet.y;
  sheet.y = top;
  for (const { name, text } of particulars) {
    sheet.write(name, { x: sheet.left + half, width: 90, color: soft });
    sheet.y += sheet.write(text, { x: sheet.left + half + 90, width: half - 90, align: "right" }) + 2;
  }
  sheet.y = Math.max(below, sheet.y) + 18;
}

function writeHeadline(sheet: PdfSheet, { headline, state }: InvoiceDocument): void {
  const height = 58;
  sheet.box(height, tint);
  const top = sheet.y;
  sheet.y = top + 10;
  const inner = { x: sheet.left + 16, width: sheet.width - 32 };
  sheet.writeLines([headline.name], { ...inner, color: soft });
  sheet.write(headline.text, { ...inner, size: 20, isBold: true });
  if (state !== null) {
    sheet.y = top + 22;
    sheet.write(state.text, { ...inner, size: 10, color: tones[state.tone], isBold: true, align: "right" });
  }
  sheet.y = top + height + 8;
}

/** Where the columns stand, from the left margin. */
const columns = { description: 195, quantity: 115, unitPrice: 105 } as const;

function columnPlaces({ left, width }: PdfSheet) {
  const { description, quantity, unitPrice } = columns;
  const before = description + quantity + unitPrice;
  return {
    title: { x: left, width: description },
    quantity: { x: left + description, width: quantity - 8, align: "right" },
    unitPrice: { x: left + description + quantity, width: unitPrice - 8, align: "right" },
    amount: { x: left + before, width: width - before, align: "right" },
  } as const;
}

function writeGroup(sheet: PdfSheet, { heading, title, lines, sum }: DocumentGroup): void {
  sheet.makeRoom(heading === null ? 90 : 120);
  if (heading !== null) {
    sheet.y += 18;
    sheet.writeLines([heading], { x: sheet.left, width: sheet.width, size: 10, color: accent, isBold: true });
  }
  sheet.y += 16;
  sheet.writeLines([title], { x: sheet.left, width: sheet.width, size: 11.5, isBold: true });
  sheet.y += 4;
  writeColumnHeads(sheet);
  for (const each of lines) writeLine(sheet, each);
  if (lines.length === 1) return;
  const { title: first, amount } = columnPlaces(sheet);
  sheet.y += 5;
  sheet.write(title, { ...first, width: sheet.width - amount.width, align: "right", isBold: true });
  sheet.y += sheet.write(sum, { ...amount, isBold: true });
}

function writeColumnHeads(sheet: PdfSheet): void {
  const { title, quantity, unitPrice, amount } = columnPlaces(sheet);
  const style = { size: 7.5, color: soft };
  const heads = sheet.writeRow([
    ["Description", { ...title, ...style }],
    ["Quantity", { ...quantity, ...style }],
    ["Unit price", { ...unitPrice, ...style }],
    ["Amount", { ...amount, ...style }],
  ]);
  sheet.y += heads + 3;
  sheet.rule(ink, 0.5);
}

function writeLine(
  sheet: PdfSheet,
  { title, period, quantity, unitPrice, amount, tiers, notes }: DocumentLine,
): void {
  const places = columnPlaces(sheet);
  const small = [period, ...notes].filter((each) => each !== null);
  const smallStyle = { ...places.title, size: 8, color: soft };
  const smallHeight = small.reduce((sum, each) => sum + sheet.heightOf(each, smallStyle), 0);
  const height = sheet.heightOf(title, { ...places.title, isBold: true }) + smallHeight;
  if (sheet.makeRoom(height + 14 * tiers.length + 10)) writeColumnHeads(sheet);
  sheet.y += 5;
  const top = sheet.y;
  const numbers = sheet.writeRow([
    [quantity ?? "", places.quantity],
    [unitPrice ?? "", places.unitPrice],
    [amount, places.amount],
  ]);
  sheet.writeLines([title], { ...places.title, isBold: true });
  sheet.writeLines(small, smallStyle);
  sheet.y = Math.max(sheet.y, top + numbers);
  for (const tier of tiers) {
    const style = { size: 8, color: soft };
    sheet.y += 2;
    sheet.y += sheet.writeRow([
      [tier.title, { ...style, x: places.title.x + 10, width: places.title.width - 10 }],
      [tier.quantity, { ...places.quantity, ...style }],
      [tier.unitPrice, { ...places.unitPrice, ...style }],
      [tier.amount, { ...places.amount, ...style }],
    ]);
  }
  sheet.y += 5;
  sheet.rule(line, 0.5);
}

function writeSums(sheet: PdfSheet, { sums }: InvoiceDocument): void {
  sheet.makeRoom(20 * sums.length + 20);
  sheet.y += 20;
  const x = sheet.right - 230;
  for (const [index, { name, amount, isStrong }] of sums.entries()) {
    const isLast = isStrong && index === sums.length - 1;
    if (isStrong) {
      sheet.y += 3;
      sheet.rule(isLast ? accent : ink, isLast ? 2 : 0.5, x);
      sheet.y += 5;
    }
    const style = { isBold: isStrong, size: isLast ? 12 : 9.5 };
    sheet.write(name, { ...style, x, width: 120 });
    sheet.y += sheet.write(amount, { ...style, x: x + 120, width: 110, align: "right" }) + 4;
  }
}

function writeNotes(sheet: PdfSheet, { notes, footer }: InvoiceDocument): void {
  const style = { x: sheet.left, width: sheet.width, size: 8, color: soft };
  const all = [...notes, ...(footer === null ? [] : [footer])];
  const height = all.reduce((sum, each) => sum + sheet.heightOf(each, style) + 4, 0);
  sheet.makeRoom(height + 34);
  sheet.y += 24;
  sheet.rule(line);
  sheet.y += 10;
  for (const each of all) {
    sheet.writeLines([each], style);
    sheet.y += 4;
  }
}
