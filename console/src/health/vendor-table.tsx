import type { Targets } from "../api/operations.ts";
import { formatDuration } from "../figures/quantity.ts";
import { Mark, type Tone } from "../shell/mark.tsx";

const tones: Record<"live" | "cooling" | "dead", Tone> = { live: "ok", cooling: "warn", dead: "bad" };

export const VendorTable = ({ vendors }: { vendors: Targets["vendors"] }) => (
  <table className="data-table">
    <thead>
      <tr>
        <th scope="col">Vendor</th>
        <th scope="col">Dialect</th>
        <th scope="col">Region, data up to</th>
        <th scope="col">Keys</th>
      </tr>
    </thead>
    <tbody>
      {vendors.map(({ name, dialect, region, data_class, keys }) => (
        <tr key={name}>
          <th scope="row" className="!text-xs !font-medium !text-ink">
            {name}
          </th>
          <td className="mono">{dialect}</td>
          <td>
            {region}
            <span className="block text-2xs text-ink-3">{data_class}</span>
          </td>
          <td>
            {keys.length === 0 ? (
              <span className="text-ink-3">needs none</span>
            ) : (
              <ul className="grid gap-0.5">
                {keys.map(({ id, state, for_ms }) => (
                  <li key={id} className="flex items-center gap-2">
                    <span className="mono">{id}</span>
                    <Mark tone={tones[state]}>{state}</Mark>
                    {for_ms !== undefined && <span className="text-2xs text-ink-3">for {formatDuration(for_ms)}</span>}
                  </li>
                ))}
              </ul>
            )}
          </td>
        </tr>
      ))}
    </tbody>
  </table>
);
