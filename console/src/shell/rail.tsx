import { Link } from "@tanstack/react-router";
import { Bell, Coins, Fork, Gauge, Layers, Pulse, Sluice, Stream } from "./icons.tsx";

const item =
  "relative grid shrink-0 justify-items-center gap-0.5 rounded-md py-2 text-[0.625rem] leading-3 tracking-tight text-ink-3 hover:bg-hover hover:text-ink data-[status=active]:bg-accent-soft data-[status=active]:text-accent max-sm:min-w-0 max-sm:flex-1 max-sm:px-0 max-sm:py-1.5";

const screens = [
  { to: "/", name: "Overview", Icon: Gauge },
  { to: "/decisions", name: "Decisions", Icon: Stream },
  { to: "/routes", name: "Routes", Icon: Fork },
  { to: "/health", name: "Health", Icon: Pulse },
  { to: "/cost", name: "Cost", Icon: Coins },
  { to: "/limits", name: "Limits", Icon: Sluice },
  { to: "/cache", name: "Cache", Icon: Layers },
  { to: "/alerts", name: "Alerts", Icon: Bell },
] as const;

/** Beside the screen; where it is narrow, below it. */
export const Rail = () => (
  <nav
    aria-label="Screens"
    className="row-span-2 flex flex-col gap-1 border-r border-line bg-surface p-1 max-sm:gap-0 max-sm:row-span-1 max-sm:row-start-4 max-sm:flex-row max-sm:overflow-x-auto max-sm:border-t max-sm:border-r-0"
  >
    {screens.map(({ to, name, Icon }) => (
      <Link key={to} to={to} activeOptions={{ exact: to === "/", includeSearch: false }} className={item}>
        <Icon className="size-4.5" />
        {name}
      </Link>
    ))}
  </nav>
);
