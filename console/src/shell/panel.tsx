import { useId } from "react";

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
        <h2 id={id} className="text-xs font-semibold">
          {title}
        </h2>
        <div className="ml-auto flex items-center gap-3 text-2xs text-ink-3">{aside}</div>
      </header>
      <div className={flush ? "overflow-x-auto" : "p-3"}>{children}</div>
    </section>
  );
}
