export * from "./document-lines.ts";
export * from "./document-of-credit-note.ts";
export * from "./document-of-invoice.ts";
export * from "./figures.ts";
export * from "./invoice-document.ts";
export * from "./seller-details.ts";
