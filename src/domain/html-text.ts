const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for HTML, between tags or in an attribute: whatever somebody is called, it stays text. */
export const htmlText = (value: string): string =>
  value.replace(/[&<>"']/g, (character) => entities[character] ?? "");
