import {
  type CSSVariablesResolver,
  createTheme,
  type MantineColorsTuple,
  SegmentedControl,
  Table,
} from "@mantine/core";

const ledger: MantineColorsTuple = [
  "#e9f8f2",
  "#d3efe4",
  "#a5dfc9",
  "#74ceac",
  "#4cbf94",
  "#2fae83",
  "#1b9a72",
  "#0d7a5b",
  "#0a644b",
  "#064e3a",
];

// Warmer than Mantine's own, so that light and dark are of one family.
const gray: MantineColorsTuple = [
  "#f8f8f6",
  "#f1f1ee",
  "#e7e7e2",
  "#d9d9d3",
  "#c3c3bc",
  "#a3a39b",
  "#82827a",
  "#5f5f58",
  "#3d3d38",
  "#232320",
];
const dark: MantineColorsTuple = [
  "#d6d7d2",
  "#b3b5ae",
  "#969990",
  "#6b6e66",
  "#484b45",
  "#343732",
  "#292c28",
  "#1d201d",
  "#161816",
  "#101210",
];

export const theme = createTheme({
  primaryColor: "ledger",
  primaryShade: 7,
  autoContrast: true,
  colors: { ledger, gray, dark },
  defaultRadius: "md",
  fontFamily:
    'Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  headings: { fontWeight: "650" },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Table: Table.extend({ defaultProps: { borderColor: "var(--line)" } }),
    // Its labels would be hard to read for as long as they change colour.
    SegmentedControl: SegmentedControl.extend({ defaultProps: { transitionDuration: 0 } }),
  },
});

/** Text and surfaces with enough contrast in both schemes (WCAG AA), and the colours of chart series. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#f6f6f3",
    "--mantine-color-text": "#232320",
    "--mantine-color-dimmed": "#66665f",
    "--mantine-color-anchor": "#0a644b",
    "--mantine-color-error": "#b42318",
    "--surface": "#ffffff",
    "--line": "#e4e4de",
    "--positive": "#0a644b",
    "--informative": "#1f5fa8",
    "--warning": "#96490a",
    "--negative": "#b42318",
    "--neutral": "#5f5f58",
    "--hover": "#f4f5f1",
    "--series-1": "#0d7a5b",
    "--series-2": "#4b61c9",
    "--series-3": "#c77d0a",
    "--series-4": "#b8406a",
    "--series-5": "#2489b5",
    "--series-6": "#8a8a82",
  },
  dark: {
    "--mantine-color-body": "#121412",
    "--mantine-color-text": "#e7e8e4",
    "--mantine-color-dimmed": "#a0a39a",
    "--mantine-color-anchor": "#74ceac",
    "--mantine-color-error": "#f19a8e",
    "--surface": "#1b1e1b",
    "--line": "#2e322d",
    "--positive": "#74ceac",
    "--informative": "#86bdf2",
    "--warning": "#f0b165",
    "--negative": "#f19a8e",
    "--neutral": "#b3b5ae",
    "--hover": "#222622",
    "--series-1": "#3cb98d",
    "--series-2": "#8798ee",
    "--series-3": "#e3a63f",
    "--series-4": "#e37fa2",
    "--series-5": "#5bb8de",
    "--series-6": "#8d9087",
  },
});
