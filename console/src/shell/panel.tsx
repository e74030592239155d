import { useEffect, useId, useRef, useState } from "react";

interface PanelProps {
  title: string;
  aside?: React.ReactNode;
  children: React.ReactNode;
  className?: string;
  /** Tables reach the panel's edges. */
  flush?: boolean;
}

export function Panel({ title, aside, children, className = "", flush = false }: PanelProps) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={`panel min-w-0 ${className}`}>
      <header className="flex min-h-9 items-center gap-3 border-b border-line px-3 py-1">
        <h2 id={id} className="text-xs font-semibold whitespace-nowrap">
          {title}
        </h2>
        <div className="ml-auto flex items-center gap-3 text-2xs text-ink-3">{aside}</div>
      </header>
      {flush ? <Sideways label={id}>{children}</Sideways> : <div className="p-3">{children}</div>}
    </section>
  );
}

/** Scrolls sideways where its table is wider than the panel; it can then be scrolled by keyboard. */
function Sideways({ label, children }: { label: string; children: React.ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [wide, setWide] = useState(false);
  useEffect(() => {
    const { current } = box;
    if (current === null) return;
    const look = (): void => setWide(current.scrollWidth > current.clientWidth);
    const observer = new ResizeObserver(look);
    observer.observe(current);
    for (const child of current.children) observer.observe(child);
    return () => observer.disconnect();
  });
  return (
    <div ref={box} className="overflow-x-auto" {...(wide && { tabIndex: 0, role: "group", "aria-labelledby": label })}>
      {children}
    </div>
  );
}
