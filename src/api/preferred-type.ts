/**
 * The media type that an Accept header likes best of those offered (RFC 9110, 12.5.1). The first offered wins when
 * several are liked as much, and when none is liked at all: some answer is better than none.
 */
export function preferredType<Type extends string>(
  accept: string | undefined,
  offered: readonly [Type, ...Type[]],
): Type {
  const ranges = (accept ?? "*/*").split(",").map(rangeOf);
  const quality = (type: Type) =>
    ranges
      .filter(({ range }) => matches(range, type))
      .reduce((best, range) => (precision(range.range) > precision(best.range) ? range : best), nothing)
      .quality;
  return offered.reduce((best, type) => (quality(type) > quality(best) ? type : best));
}

const nothing = { range: "", quality: 0 };

function rangeOf(text: string): { range: string; quality: number } {
  const [range = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  const quality = Number(weight ?? "1");
  return { range, quality: Number.isFinite(quality) ? quality : 0 };
}

function matches(range: string, type: string): boolean {
  return range === type || range === "*/*" || range === `${type.split("/")[0]}/*`;
}

/** A range that says more about the type counts more than one that says less. */
const precision = (range: string): number =>
  range === "" ? 0 : range === "*/*" ? 1 : range.endsWith("/*") ? 2 : 3;
