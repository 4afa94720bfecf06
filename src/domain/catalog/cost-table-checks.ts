import { instant } from "../calendar/index.ts";
import { type CatalogIssue, duplicateKeys, duplicateTexts } from "./catalog-issue.ts";
import type { CostTable } from "./cost-table.ts";
import { valuesIssues } from "./model-checks.ts";

/** Versions follow one another, and each row of theirs is for one combination of dimension values. */
export function costTableIssues(tables: readonly CostTable[], path: string): CatalogIssue[] {
  return [
    ...duplicateKeys(tables, path),
    ...tables.flatMap(({ dimensions, versions }, index) => [
      ...duplicateTexts(dimensions, `${path}[${index}].dimensions`),
      ...versions.flatMap(({ effectiveAt, rows }, each) => {
        const place = `${path}[${index}].versions[${each}]`;
        const before = versions[each - 1]?.effectiveAt;
        const isLater = before === undefined || instant(effectiveAt) > instant(before);
        return [
          ...(isLater
            ? []
            : [
                {
                  path: `${place}.effectiveAt`,
                  message: `must be later than ${before}, that of the version before it`,
                },
              ]),
          ...valuesIssues(rows, dimensions, `${place}.rows`),
        ];
      }),
    ]),
  ];
}
