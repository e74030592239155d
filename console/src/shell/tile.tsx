/** Key figures side by side. */
export const Tiles = ({ label, children }: { label: string; children: React.ReactNode }) => (
  <section
    aria-label={label}
    className="panel grid grid-cols-2 gap-px overflow-hidden *:shadow-[0_0_0_1px_var(--line)] md:grid-cols-3 xl:grid-cols-6"
  >
    {children}
  </section>
);

interface TileProps {
  name: string;
  value: React.ReactNode;
  unit?: string;
  detail: React.ReactNode;
  children?: React.ReactNode;
}

export const Tile = ({ name, value, unit, detail, children }: TileProps) => (
  <div className="grid min-w-0 content-start gap-0.5 px-3 pt-2 pb-2.5">
    <div className="text-xs text-ink-2">{name}</div>
    <div className="truncate text-lg leading-6 font-semibold tracking-tight">
      {value}
      {unit !== undefined && <span className="ml-0.5 text-xs font-normal text-ink-3">{unit}</span>}
    </div>
    <div className="truncate text-2xs text-ink-3">{detail}</div>
    {children !== undefined && <div className="mt-1.5 flex h-7 items-end">{children}</div>}
  </div>
);

export const ShareBar = ({
  part,
  whole,
  className = "bg-accent",
}: {
  part: number;
  whole: number;
  className?: string;
}) => (
  <span aria-hidden="true" className="block h-1.5 w-full min-w-10 overflow-hidden rounded-full bg-hover">
    <span
      className={`block h-full ${className}`}
      style={{ width: `${whole === 0 ? 0 : Math.min(100, (part / whole) * 100)}%` }}
    />
  </span>
);
