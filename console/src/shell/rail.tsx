import { Link } from "@tanstack/react-router";
import { Gauge, Stream } from "./icons.tsx";

const item =
  "relative grid justify-items-center gap-0.5 rounded-md py-2 text-[0.625rem] leading-3 tracking-tight text-ink-3 hover:bg-hover hover:text-ink data-[status=active]:bg-accent-soft data-[status=active]:text-accent";

export const Rail = () => (
  <nav aria-label="Screens" className="row-span-2 flex flex-col gap-1 border-r border-line bg-surface p-1">
    <Link to="/" activeOptions={{ exact: true, includeSearch: false }} className={item}>
      <Gauge className="size-4.5" />
      Overview
    </Link>
    <Link to="/decisions" activeOptions={{ includeSearch: false }} className={item}>
      <Stream className="size-4.5" />
      Decisions
    </Link>
  </nav>
);
