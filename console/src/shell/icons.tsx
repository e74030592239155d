/** The console's own icons, 16-unit grid, drawn in the current colour. Decorative: words stand beside them. */
interface IconProps {
  className?: string;
}

const draw = (paths: string, extra?: React.ReactNode) =>
  function Icon({ className = "size-4" }: IconProps) {
    return (
      <svg viewBox="0 0 16 16" className={className} fill="none" stroke="currentColor" strokeWidth={1.5} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
        <path d={paths} />
        {extra}
      </svg>
    );
  };

export const WeirMark = ({ className = "size-6" }: IconProps) => (
  <svg viewBox="0 0 24 24" className={className} fill="none" stroke="currentColor" strokeWidth={2.2} strokeLinecap="round" aria-hidden="true">
    <path d="M2.500 6h7.500c3 0 3.500 2.600 3.500 5s.5 5 3.500 5h4.500" />
    <path d="M2.500 11h5M2.500 16h7.500" opacity={0.5} />
  </svg>
);

export const Gauge = draw("M2.500 12.500a6 6 0 1 1 11 0M8 10l3-3.500");
export const Stream = draw("M2 4h12M2 8h12M2 12h7");
export const Check = draw("m3.500 8.500 3 3 6-7");
export const Cross = draw("m4 4 8 8m0-8-8 8");
export const Hand = draw("M8 2.500v7m-3-3 3 3 3-3M3 13.500h10");
export const Person = draw("M8 8a2.750 2.750 0 1 0 0-5.500A2.750 2.750 0 0 0 8 8ZM2.750 13.500c.5-2.500 2.500-3.500 5.250-3.500s4.750 1 5.250 3.500");
export const Ban = draw("M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM4 4l8 8");
export const Broken = draw("M2 8h4l1.500-3M14 8h-4l-1.500 3");
export const Alert = draw("M8 5.500v3.500M8 11.500v.01M7 2.500 1.500 12.500a1 1 0 0 0 1 1.500h11a1 1 0 0 0 1-1.500L9 2.500a1.200 1.200 0 0 0-2 0Z");
export const Copy = draw("M5.500 5.500h7v7h-7zM3.500 10.500v-7h7");
export const Pause = draw("M5.500 3.500v9M10.500 3.500v9");
export const Play = draw("m5 3 8 5-8 5z");
export const Search = draw("M7 11.500A4.500 4.500 0 1 0 7 2.500a4.500 4.500 0 0 0 0 9ZM10.500 10.500 13.500 13.500");
export const Sun = draw("M8 10.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5ZM8 1.500v1.250M8 13.250v1.250M1.500 8h1.250M13.250 8h1.250M3.400 3.400l.9.9M11.700 11.700l.9.9M12.600 3.400l-.9.9M4.300 11.700l-.9.9");
export const Moon = draw("M13 9.500A5.500 5.500 0 0 1 6.500 3 5.500 5.500 0 1 0 13 9.500Z");
export const Screen = draw("M2 3.500h12v7.500H2zM6 13.500h4");
export const Lock = draw("M4 7.500h8v6H4zM5.500 7.500V5.500a2.500 2.500 0 0 1 5 0v2");
export const Shield = draw("M8 2 3 4v4c0 3 2 5 5 6 3-1 5-3 5-6V4z");
export const Down = draw("m4 6 4 4 4-4");
export const Up = draw("m4 10 4-4 4 4");
export const Left = draw("m10 4-4 4 4 4");
export const Download = draw("M8 2.500v8m-3-3 3 3 3-3M3 13.500h10");
export const Table = draw("M2.500 3h11v10h-11zM2.500 6.500h11M6.500 6.500V13");
export const Keyboard = draw("M1.750 4h12.500v8H1.750zM4.500 7h.01M8 7h.01M11.500 7h.01M5 9.750h6");
export const Dash = draw("M4 8h8");
