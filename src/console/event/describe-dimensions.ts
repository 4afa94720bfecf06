/** The dimensions of usage in words, such as "model large, class input"; empty when there are none. */
export const describeDimensions = (dimensions: Readonly<Record<string, string>>): string =>
  Object.entries(dimensions)
    .map(([name, value]) => `${name} ${value === "" ? "(none)" : value}`)
    .join(", ");
