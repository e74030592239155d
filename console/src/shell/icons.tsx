/** The console's own icons, 16-unit grid, drawn in the current colour. Decorative: words stand beside them. */
interface IconProps {
  className?: string;
}

const draw = (paths: string, extra?: React.ReactNode) =>
  function Icon({ className = "size-4" }: IconProps) {
    return (
      <svg
        viewBox="0 0 16 16"
        className={className}
        fill="none"
        stroke="currentColor"
        strokeWidth={1.5}
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
      >
        <path d={paths} />
        {extra}
      </svg>
    );
  };

export const WeirMark = ({ className = "size-6" }: IconProps) => (
  <svg
    viewBox="0 0 24 24"
    className={className}
    fill="none"
    stroke="currentColor"
    strokeWidth={2.2}
    strokeLinecap="round"
    aria-hidden="true"
  >
    <path d="M2.5 6h7.5c3 0 3.5 2.600 3.5 5s.5 5 3.5 5h4.5" />
    <path d="M2.5 11h5M2.5 16h7.5" opacity={0.5} />
  </svg>
);

export const Gauge = draw("M2.5 12.5a6 6 0 1 1 11 0M8 10l3-3.5");
export const Stream = draw("M2 4h12M2 8h12M2 12h7");
export const Check = draw("m3.5 8.5 3 3 6-7");
export const Cross = draw("m4 4 8 8m0-8-8 8");
export const Person = draw(
  "M8 8a2.75 2.75 0 1 0 0-5.5A2.75 2.75 0 0 0 8 8ZM2.75 13.5c.5-2.5 2.5-3.5 5.25-3.5s4.75 1 5.25 3.5",
);
export const Ban = draw("M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM4 4l8 8");
export const Broken = draw("M2 8h4l1.5-3M14 8h-4l-1.5 3");
export const Alert = draw(
  "M8 5.5v3.5M8 11.5v.01M7 2.5 1.5 12.5a1 1 0 0 0 1 1.5h11a1 1 0 0 0 1-1.5L9 2.5a1.200 1.200 0 0 0-2 0Z",
);
export const Copy = draw("M5.5 5.5h7v7h-7zM3.5 10.5v-7h7");
export const Pause = draw("M5.5 3.5v9M10.5 3.5v9");
export const Play = draw("m5 3 8 5-8 5z");
export const Search = draw("M7 11.5A4.5 4.5 0 1 0 7 2.5a4.5 4.5 0 0 0 0 9ZM10.5 10.5 13.5 13.5");
export const Sun = draw(
  "M8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM8 1.5v1.25M8 13.25v1.25M1.5 8h1.25M13.25 8h1.25M3.400 3.400l.9.9M11.700 11.700l.9.9M12.600 3.400l-.9.9M4.300 11.700l-.9.9",
);
export const Moon = draw("M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5Z");
export const Screen = draw("M2 3.5h12v7.5H2zM6 13.5h4");
export const Lock = draw("M4 7.5h8v6H4zM5.5 7.5V5.5a2.5 2.5 0 0 1 5 0v2");
export const Shield = draw("M8 2 3 4v4c0 3 2 5 5 6 3-1 5-3 5-6V4z");
export const Down = draw("m4 6 4 4 4-4");
export const Up = draw("m4 10 4-4 4 4");
export const Left = draw("m10 4-4 4 4 4");
export const Download = draw("M8 2.5v8m-3-3 3 3 3-3M3 13.5h10");
export const Table = draw("M2.5 3h11v10h-11zM2.5 6.5h11M6.5 6.5V13");
export const Keyboard = draw("M1.75 4h12.5v8H1.75zM4.5 7h.01M8 7h.01M11.5 7h.01M5 9.75h6");
export const Fork = draw(
  "M2 8h3.5c2 0 2-4.500 4-4.500H14M5.500 8c2 0 2 4.500 4 4.500H14M12 1.750l2 1.750-2 1.750M12 10.750l2 1.750-2 1.750",
);
export const Pulse = draw("M1.5 8.5h3l1.500-4.500 3 8 1.500-3.500h4");
export const Coins = draw(
  "M2.500 5c0-1.250 2.500-2 5.500-2s5.500.750 5.500 2-2.500 2-5.500 2-5.500-.750-5.500-2ZM2.500 5v6c0 1.250 2.500 2 5.500 2s5.500-.750 5.500-2V5M2.500 8c0 1.250 2.500 2 5.500 2s5.500-.750 5.500-2",
);
export const Sluice = draw("M2 3v10M14 3v10M2 6h12M5 6v7M8 6v4.500M11 6v2.500");
export const Layers = draw("M8 2 2 5l6 3 6-3zM2 8l6 3 6-3M2 11l6 3 6-3");
export const Bell = draw("M4 11V7a4 4 0 0 1 8 0v4l1.250 1.500H2.750zM6.750 14.250h2.500");
export const Dash = draw("M4 8h8");
