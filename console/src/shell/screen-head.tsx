/** Every screen's first line: its heading, what qualifies it, its controls. Sets the window's title too. */
import { useEffect } from "react";

export function ScreenHead({
  title,
  windowTitle,
  aside,
  children,
}: {
  title: React.ReactNode;
  windowTitle: string;
  aside?: React.ReactNode;
  children?: React.ReactNode;
}) {
  useEffect(() => {
    document.title = `${windowTitle} · Weir`;
  }, [windowTitle]);
  return (
    <div className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1.5 px-4 py-2">
      <h1 className="flex items-center gap-2 text-sm font-semibold">{title}</h1>
      {aside !== undefined && <div className="flex items-center gap-2 text-xs text-ink-3">{aside}</div>}
      <div className="ml-auto flex flex-wrap items-center gap-2">{children}</div>
    </div>
  );
}
