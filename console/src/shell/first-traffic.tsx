/** What to run so that a fresh install has something to show. */
import { CopyButton } from "./copy-button.tsx";
import { Empty } from "./notice.tsx";

const credit = (origin: string): string => `curl ${origin}/v1/decisions/credit \\
  -H "authorization: Bearer $WEIR_KEY" \\
  -H "content-type: application/json" \\
  -H "x-weir-subject: applicant-1" \\
  -H "x-weir-purpose: credit-check" \\
  -H "x-weir-consent: consent-1" \\
  -d '{"features":{"Seniority":9,"Home":"rent","Time":60,"Records":"no",
       "Job":"freelance","Expenses":73,"Income":129,"Assets":0,
       "Debt":0,"Amount":800,"Price":846}}'`;

const traffic = "weir traffic --use-case credit --rate 20";

export const FirstTraffic = ({ title }: { title: string }) => (
  <Empty title={title}>
    <p className="text-ink-2">
      Every request to a use case becomes a decision and shows up here as soon as it has settled. Send one with an API
      key of this environment (the body is the bank example's):
    </p>
    <Command text={credit(location.origin)} label="Copy the curl command" />
    <p className="text-ink-2">or let the bank's held-out applicants arrive as live traffic:</p>
    <Command text={traffic} label="Copy the traffic command" />
  </Empty>
);

const Command = ({ text, label }: { text: string; label: string }) => (
  <div className="panel relative bg-raised">
    {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard */}
    <pre className="mono overflow-x-auto p-3 pr-12 leading-5" tabIndex={0}>
      {text}
    </pre>
    <div className="absolute top-1.5 right-1.5">
      <CopyButton text={text} label={label} />
    </div>
  </div>
);
