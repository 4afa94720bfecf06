import { Select } from "@mantine/core";
import { utcDay } from "../format/time.ts";
import { wordsFor } from "../format/words.ts";
import type { Meter } from "../reads/resources.ts";
import { DayInput } from "./day-input.tsx";
import classes from "./usage-controls.module.css";
import type { ChosenPeriod } from "./usage-periods.ts";
import { allAsOne, type UsageView, type UsageViewChange } from "./use-usage-view.ts";

interface UsageControlsProps {
  readonly meters: readonly Meter[];
  readonly periods: readonly ChosenPeriod[];
  readonly view: UsageView;
  readonly change: (next: UsageViewChange) => void;
}

const otherDays = "other";
const dayMs = 86_400_000;

/** What to show: which meter, told apart by what, and when. */
export function UsageControls({ meters, periods, view, change }: UsageControlsProps) {
  const { meter, by, from, to } = view;
  const dimensions = meter.dimensions ?? [];
  return (
    <div className={classes.controls}>
      <Select
        label="Meter"
        data={meters.map(({ key }) => ({ value: key, label: wordsFor(key) }))}
        value={meter.key}
        onChange={(key) => key && change({ meter: key })}
        allowDeselect={false}
      />
      {dimensions.length === 0 ? null : (
        <Select
          label="By"
          data={[
            ...dimensions.map((name) => ({ value: name, label: wordsFor(name) })),
            { value: allAsOne, label: "All as one" },
          ]}
          value={by ?? allAsOne}
          onChange={(name) => name && change({ by: name })}
          allowDeselect={false}
        />
      )}
      <PeriodControl periods={periods} from={from} to={to} change={change} />
    </div>
  );
}

function PeriodControl({
  periods,
  from,
  to,
  change,
}: Pick<UsageControlsProps, "periods" | "change"> & { from: string; to: string }) {
  const nameOf = (period: { from: string; to: string }) => `${period.from}/${period.to}`;
  const chosen = periods.find((period) => nameOf(period) === nameOf({ from, to }));
  const lastDay = utcDay(new Date(Date.parse(to) - 1).toISOString());
  const setDays = (first: string, last: string) => {
    if (first > last) return;
    change({ from: new Date(first).toISOString(), to: new Date(Date.parse(last) + dayMs).toISOString() });
  };
  return (
    <>
      {periods.length === 0 ? null : (
        <Select
          label="Period"
          className={classes.period ?? ""}
          data={[
            ...periods.map((period) => ({ value: nameOf(period), label: period.label })),
            ...(chosen ? [] : [{ value: otherDays, label: "Other days" }]),
          ]}
          value={chosen ? nameOf(chosen) : otherDays}
          onChange={(name) => {
            const period = periods.find((known) => nameOf(known) === name);
            if (period) change({ from: period.from, to: period.to });
          }}
          allowDeselect={false}
        />
      )}
      <DayInput label="From day (UTC)" day={utcDay(from)} onDay={(day) => setDays(day, lastDay)} />
      <DayInput label="To day (UTC)" day={lastDay} onDay={(day) => setDays(utcDay(from), day)} />
    </>
  );
}
