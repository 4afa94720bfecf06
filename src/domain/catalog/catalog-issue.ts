/** What is wrong with a catalog, where (`plans[1].prices[0].meter`), and what to do about it. */
export type CatalogIssue = { readonly path: string; readonly message: string };

/** Of keys that must differ, each that was there before; `path` is that of the list. */
export function duplicateKeys(
  items: readonly { readonly key: string }[],
  path: string,
  taken: readonly string[] = [],
): CatalogIssue[] {
  const seen = new Set(taken);
  return items.flatMap(({ key }, index) => {
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew
      ? []
      : [{ path: `${path}[${index}].key`, message: `"${key}" is used twice: choose another key` }];
  });
}

/** Of texts that must differ, each that was there before. */
export function duplicateTexts(texts: readonly string[], path: string): CatalogIssue[] {
  return texts.flatMap((text, index) =>
    texts.indexOf(text) < index ? [{ path: `${path}[${index}]`, message: `"${text}" is named twice` }] : [],
  );
}
