import { BarChart } from "@mantine/charts";
import { currencyExponent } from "../format/currency-exponent.ts";
import { formatRoughly } from "../format/quantity.ts";

interface MonthChartProps {
  readonly label: string;
  readonly currency: string;
  readonly rows: readonly { readonly month: string; readonly part: string; readonly minor: string }[];
}

const partsMax = 6;

/** Amounts by month, their parts stacked. What is drawn is rough; a table beside it says the same exactly. */
export function MonthChart({ label, currency, rows }: MonthChartProps) {
  const scale = 10 ** currencyExponent(currency);
  const sums = new Map<string, number>();
  for (const { part, minor } of rows) sums.set(part, (sums.get(part) ?? 0) + Math.abs(Number(minor)));
  const largest = [...sums].toSorted(([, a], [, b]) => b - a).map(([part]) => part);
  const shown = largest.length > partsMax ? [...largest.slice(0, partsMax - 1), "Others"] : largest;
  const months = [...new Set(rows.map(({ month }) => month))].toSorted();
  const data = months.map((month) => {
    const point: Record<string, number | string> = { month };
    for (const { part, minor } of rows.filter((row) => row.month === month)) {
      const name = shown.includes(part) ? part : "Others";
      point[name] = Number(point[name] ?? 0) + Number(minor) / scale;
    }
    return point;
  });
  return (
    <div
      role="img"
      aria-label={`Chart: ${label}. The table below holds its figures.`}
      style={{ padding: "1rem" }}
    >
      <BarChart
        h={260}
        type="stacked"
        data={data}
        dataKey="month"
        series={shown.map((name, index) => ({ name, color: `var(--series-${index + 1})` }))}
        withLegend={shown.length > 1}
        legendProps={{ verticalAlign: "bottom" }}
        gridAxis="x"
        tickLine="none"
        strokeDasharray="0"
        gridColor="var(--line)"
        textColor="var(--mantine-color-dimmed)"
        yAxisProps={{ tickFormatter: formatRoughly, width: 48 }}
        valueFormatter={formatRoughly}
        barProps={{ isAnimationActive: false }}
        maxBarWidth={36}
      />
    </div>
  );
}
