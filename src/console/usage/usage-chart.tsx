import { BarChart, type BarChartSeries } from "@mantine/charts";
import { formatQuantity, formatRoughly } from "../format/quantity.ts";
import { formatUtcDay } from "../format/time.ts";
import { Section } from "../parts/section.tsx";
import type { UsageBreakdown, UsagePart } from "./usage-breakdown.ts";
import classes from "./usage-chart.module.css";

/** As many as can be told apart at a glance; the smallest parts share the last colour. */
const seriesMax = 6;
const rest = "rest";

/** Usage by day, its parts stacked. What is drawn is rough; the tables below say the same exactly. */
export function UsageChart({ breakdown, label }: { breakdown: UsageBreakdown; label: string }) {
  const { shown, others } = divide(breakdown.parts);
  const series: BarChartSeries[] = shown.map(({ key, name }, index) => ({
    name: key,
    label: name,
    color: `var(--series-${index + 1})`,
  }));
  if (others.length > 0)
    series.push({ name: rest, label: `${others.length} others`, color: `var(--series-${seriesMax})` });
  const data = breakdown.days.map(({ day, quantities }) => ({
    day: formatUtcDay(day),
    ...Object.fromEntries(shown.map(({ key }) => [key, Number(quantities[key] ?? 0)])),
    [rest]: others.reduce((sum, { key }) => sum + Number(quantities[key] ?? 0), 0),
  }));
  return (
    <Section title="By day">
      <div
        className={classes.chart}
        role="img"
        aria-label={`Chart: ${label}. The tables below hold its figures.`}
      >
        <BarChart
          h={300}
          type="stacked"
          data={data}
          dataKey="day"
          series={series}
          withLegend={series.length > 1}
          legendProps={{ verticalAlign: "bottom" }}
          gridAxis="x"
          tickLine="none"
          strokeDasharray="0"
          gridColor="var(--line)"
          textColor="var(--mantine-color-dimmed)"
          yAxisProps={{ tickFormatter: formatRoughly, width: 48 }}
          xAxisProps={{ minTickGap: 24 }}
          valueFormatter={(value) => formatQuantity(String(value))}
          barProps={{ isAnimationActive: false }}
          maxBarWidth={36}
        />
      </div>
    </Section>
  );
}

function divide(parts: readonly UsagePart[]) {
  const shownCount = parts.length > seriesMax ? seriesMax - 1 : parts.length;
  return { shown: parts.slice(0, shownCount), others: parts.slice(shownCount) };
}
