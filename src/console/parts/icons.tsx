import type { ReactNode } from "react";

/** Icons on a 20 × 20 grid, in the colour of the text around them. They say nothing that a label does not say. */
function icon(shapes: ReactNode) {
  return function Icon({ size = 18 }: { size?: number }) {
    return (
      <svg
        aria-hidden="true"
        width={size}
        height={size}
        viewBox="0 0 20 20"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      >
        {shapes}
      </svg>
    );
  };
}

export const SearchIcon = icon(<path d="M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12ZM17 17l-3.6-3.6" />);
export const SunIcon = icon(
  <path d="M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM10 1.8v1.6M10 16.6v1.6M1.8 10h1.6M16.6 10h1.6M4.2 4.2l1.1 1.1M14.7 14.7l1.1 1.1M15.8 4.2l-1.1 1.1M5.3 14.7l-1.1 1.1" />,
);
export const MoonIcon = icon(<path d="M16.5 12.1A7 7 0 0 1 7.9 3.5a7 7 0 1 0 8.6 8.6Z" />);
export const SignOutIcon = icon(
  <path d="M12 4H5.5A1.5 1.5 0 0 0 4 5.5v9A1.5 1.5 0 0 0 5.5 16H12M9 10h8m0 0-2.8-2.8M17 10l-2.8 2.8" />,
);
export const CopyIcon = icon(<path d="M7.5 7.5h8v8h-8zM12.5 7.5v-3h-8v8h3" />);
export const CheckIcon = icon(<path d="m4.5 10.5 3.5 3.5 7.5-8" />);
export const WarningIcon = icon(<path d="M10 3 2.5 16.2h15L10 3ZM10 8v4M10 14.1v.1" />);
export const EmptyIcon = icon(<path d="M3.5 11 6 4.5h8l2.5 6.5v4.5h-13V11ZM3.5 11H7l1 2h4l1-2h3.5" />);
