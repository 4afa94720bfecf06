import { createRequire } from "node:module";
import PDFDocument from "pdfkit";

const require = createRequire(import.meta.url);
const fontFile = (name: string) => require.resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`);

export const ink = "#1b2430";
export const soft = "#5b6776";
export const line = "#dfe4ea";
export const tint = "#f5f7fa";
export const accent = "#0b5c6b";
export const tones = { good: "#1c6b3c", bad: "#9b2c2c", plain: soft } as const;

const margin = 50;

export interface PdfText {
  readonly x: number;
  readonly width: number;
  readonly size?: number;
  readonly color?: string;
  readonly isBold?: boolean;
  readonly align?: "left" | "right";
}

/** A4 pages that are written from top to bottom; all lengths are in points. */
export class PdfSheet {
  readonly left = margin;
  readonly width: number;
  readonly right: number;
  /** Where the next thing goes. */
  y = margin;
  readonly #pdf: PDFKit.PDFDocument;
  readonly #bottom: number;
  readonly #chunks: Buffer[] = [];
  readonly #ended: Promise<void>;

  /** @param madeAt in the file's data: the same document is the same file, byte for byte */
  constructor(title: string, author: string, madeAt: Date) {
    this.#pdf = new PDFDocument({
      size: "A4",
      margin,
      bufferPages: true,
      lang: "en",
      displayTitle: true,
      info: { Title: title, Author: author, CreationDate: madeAt, ModDate: madeAt },
    });
    this.#pdf.registerFont("plain", fontFile("DejaVuSansCondensed"));
    this.#pdf.registerFont("bold", fontFile("DejaVuSansCondensed-Bold"));
    this.width = this.#pdf.page.width - 2 * margin;
    this.right = margin + this.width;
    this.#bottom = this.#pdf.page.height - margin - 24;
    this.#ended = new Promise((resolve, reject) => {
      this.#pdf.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
      this.#pdf.on("end", resolve);
      this.#pdf.on("error", reject);
    });
  }

  /** Begins another page when there is not so much room left. @returns whether it did */
  makeRoom(height: number): boolean {
    if (this.y + height <= this.#bottom) return false;
    this.#pdf.addPage();
    this.y = margin;
    return true;
  }

  heightOf(text: string, { width, size = 9, isBold = false }: PdfText): number {
    return this.#pdf
      .font(isBold ? "bold" : "plain")
      .fontSize(size)
      .heightOfString(text, { width });
  }

  /** Writes at `y`, which stays. @returns the height it took */
  write(text: string, { x, width, size = 9, color = ink, isBold = false, align = "left" }: PdfText): number {
    this.#pdf
      .font(isBold ? "bold" : "plain")
      .fontSize(size)
      .fillColor(color)
      .text(text, x, this.y, { width, align });
    return this.#pdf.y - this.y;
  }

  /** Writes texts beside one another. @returns the height of the highest */
  writeRow(texts: readonly (readonly [text: string, style: PdfText])[]): number {
    return Math.max(...texts.map(([text, style]) => (text === "" ? 0 : this.write(text, style))));
  }

  /** Writes one line after the other, and goes on below them. */
  writeLines(texts: readonly string[], style: PdfText): void {
    for (const text of texts) this.y += this.write(text, style);
  }

  rule(color: string, thickness = 0.75, from = this.left, to = this.right): void {
    this.#pdf.moveTo(from, this.y).lineTo(to, this.y).lineWidth(thickness).strokeColor(color).stroke();
  }

  box(height: number, color: string): void {
    this.#pdf.roundedRect(this.left, this.y, this.width, height, 6).fill(color);
  }

  /** Ends the document; every page says below which of how many it is. */
  async end(footer: string): Promise<Buffer> {
    const { start, count } = this.#pdf.bufferedPageRange();
    for (let page = start; page < start + count; page++) {
      this.#pdf.switchToPage(page);
      // Below the margin, where pdfkit would otherwise begin another page.
      this.#pdf.page.margins.bottom = 0;
      this.y = this.#pdf.page.height - margin;
      const style = { x: this.left, width: this.width, size: 7.5, color: soft };
      this.write(footer, style);
      this.write(`Page ${page - start + 1} of ${count}`, { ...style, align: "right" });
    }
    this.#pdf.end();
    await this.#ended;
    return Buffer.concat(this.#chunks);
  }
}
