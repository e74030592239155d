import { Link } from "@tanstack/react-router";
import type { DecisionDetail } from "../api/types.ts";
import { formatInstant } from "../figures/instant.ts";
import { CopyButton } from "../shell/copy-button.tsx";
import { Panel } from "../shell/panel.tsx";

/** Who asked, under which rules, from which configuration. */
export function FactsPanel({ detail }: { detail: DecisionDetail }) {
  const { settled, tenant } = detail;
  const begun = settled ?? detail.begun;
  if (begun === undefined) return null;
  return (
    <Panel title="Circumstances">
      <dl className="grid grid-cols-[6.5rem_minmax(0,1fr)] gap-x-3 gap-y-1 text-xs">
        {settled !== undefined && <Fact name="Began">{formatInstant(settled.started_at_ms)}</Fact>}
        <Fact name="Tenant">
          {tenant}, <span className="mono">{begun.environment}</span>
        </Fact>
        <Fact name="Principal">
          {begun.principal.id}
          <span className="block text-2xs text-ink-3">
            {begun.principal.type}, by <span className="mono">{begun.principal.credential}</span>
          </span>
        </Fact>
        {begun.subject !== undefined && (
          <Fact name="Subject">
            <Link
              to="/decisions"
              search={{ q: begun.subject }}
              className="mono text-accent hover:underline"
              title="All decisions about this subject"
            >
              {begun.subject}
            </Link>
          </Fact>
        )}
        {begun.session !== undefined && (
          <Fact name="Session">
            <span className="mono">{begun.session}</span>
          </Fact>
        )}
        <Fact name="Purpose">{begun.purpose ?? "–"}</Fact>
        <Fact name="Lawful basis">{begun.basis ?? "–"}</Fact>
        {begun.consent !== undefined && (
          <Fact name="Consent">
            <span className="mono">{begun.consent}</span>
          </Fact>
        )}
        <Fact name="Risk tier">{begun.risk}</Fact>
        <Fact name="Data class">{begun.data_class}</Fact>
        {settled !== undefined && <Fact name="Automation">{settled.automation}</Fact>}
        <Fact name="Surface">
          {begun.surface}
          {begun.stream && ", streamed"}
        </Fact>
        {settled !== undefined && (
          <Fact name="Cache">
            {settled.cache.status}
            {settled.cache.from !== undefined && (
              <>
                {" of "}
                <Link
                  to="/decisions/$id"
                  params={{ id: settled.cache.from }}
                  className="mono text-accent hover:underline"
                  title={settled.cache.from}
                >
                  …{settled.cache.from.slice(-8)}
                </Link>
              </>
            )}
          </Fact>
        )}
        {settled?.release !== undefined && (
          <Fact name="Release">
            slot {settled.release.slot}, <Digest text={settled.release.bundle} />
          </Fact>
        )}
        <Fact name="Snapshot">
          {begun.snapshot.number} <Digest text={begun.snapshot.hash} />
        </Fact>
        <Fact name="Bundle">
          <Digest text={begun.bundle} />
        </Fact>
        {begun.idempotency !== undefined && (
          <Fact name="Idempotent">
            <Digest text={begun.idempotency.key} />
          </Fact>
        )}
        {begun.trace !== undefined && (
          <Fact name="Trace">
            <Digest text={begun.trace} />
          </Fact>
        )}
        {begun.synthetic === true && <Fact name="Origin">synthetic traffic</Fact>}
        {settled?.dropped !== undefined && settled.dropped.length > 0 && (
          <Fact name="Not translated">{settled.dropped.join(", ")}</Fact>
        )}
        {settled?.delivered !== undefined && (
          <Fact name="Delivered">
            {settled.delivered.frames} frames, {settled.delivered.bytes} bytes,{" "}
            {settled.delivered.complete ? "complete" : "broken off"}
          </Fact>
        )}
      </dl>
    </Panel>
  );
}

const Fact = ({ name, children }: { name: string; children: React.ReactNode }) => (
  <>
    <dt className="text-ink-3">{name}</dt>
    <dd className="min-w-0 break-words">{children}</dd>
  </>
);

export const Digest = ({ text }: { text: string }) => (
  <span className="inline-flex items-center gap-0.5 align-top">
    <span className="mono" title={text}>
      {text.length > 14 ? `${text.slice(0, 12)}…` : text}
    </span>
    <span className="-my-1">
      <CopyButton text={text} label="Copy the digest" />
    </span>
  </span>
);
