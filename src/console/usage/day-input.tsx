import { TextInput, type TextInputProps } from "@mantine/core";
import { useState } from "react";

interface DayInputProps extends Omit<TextInputProps, "value" | "onChange" | "type"> {
  /** "2026-01-31". */
  readonly day: string;
  readonly onDay: (day: string) => void;
}

// Typing the year 2026 passes through the years 2, 20 and 202, which are dates as well.
const firstDay = "2000-01-01";

/** A day to type or to pick. What is not a day yet stays in the field and is not passed on. */
export function DayInput({ day, onDay, ...rest }: DayInputProps) {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <TextInput
      type="date"
      value={typed ?? day}
      onBlur={() => setTyped(null)}
      onChange={(event) => {
        const text = event.currentTarget.value;
        setTyped(text);
        if (text >= firstDay) onDay(text);
      }}
      {...rest}
    />
  );
}
