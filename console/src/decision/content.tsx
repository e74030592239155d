/** Opened content: features, messages, answer, citations. Text only; nothing of it is ever rendered as markup. */
import type { FeatureFacts, FeatureValue, SettledContent } from "../api/types.ts";

interface ContentProps {
  content: SettledContent;
  facts: FeatureFacts;
  close: () => void;
}

export function Content({ content, facts, close }: ContentProps) {
  const { features, messages, answer, citations } = content;
  return (
    <div>
      {features !== undefined && <FeatureTable features={features} facts={facts} />}
      {messages !== undefined &&
        toMessages(messages).map((message, index) => <Said key={index} who={message.role} text={message.text} />)}
      {answer !== undefined && <Said who="answer" text={toText(answer)} strong />}
      {citations !== undefined && citations.length > 0 && (
        <div className="border-b border-line px-3 py-2">
          <h3 className="mb-1 text-2xs text-ink-3">Citations</h3>
          <ol className="grid gap-1.5 text-xs">
            {citations.map((citation, index) => (
              <li key={index}>
                <span className="font-medium">{citation.title}</span>{" "}
                <span className="mono text-ink-3">
                  {citation.source} [{citation.start}–{citation.end}]
                </span>
                <q className="block border-l-2 border-accent pl-2 text-ink-2">{citation.text}</q>
              </li>
            ))}
          </ol>
        </div>
      )}
      <div className="flex items-center gap-3 px-3 py-2 text-xs text-ink-3">
        Opened under your name; the reason is in the ledger.
        <button type="button" className="control ml-auto" onClick={close}>
          Close content
        </button>
      </div>
    </div>
  );
}

const FeatureTable = ({ features, facts }: { features: Record<string, FeatureValue>; facts: FeatureFacts }) => (
  <table className="data-table border-b border-line">
    <thead>
      <tr>
        <th scope="col">Feature</th>
        <th scope="col" className="num">
          Value
        </th>
        <th scope="col">Type</th>
        <th scope="col">Data class</th>
      </tr>
    </thead>
    <tbody>
      {Object.entries(features).map(([name, value]) => (
        <tr key={name}>
          <th scope="row" className="!text-xs !font-medium !text-ink">
            {name}
          </th>
          <td className="num mono">
            {value === null ? <span className="text-ink-3">null</span> : String(value)}
            {value !== null && facts[name]?.unit !== undefined && (
              <span className="text-ink-3"> {facts[name].unit}</span>
            )}
          </td>
          <td className="text-ink-3">{value === null ? "missing" : typeof value}</td>
          <td className="text-ink-2">{facts[name]?.data_class ?? "–"}</td>
        </tr>
      ))}
    </tbody>
  </table>
);

const Said = ({ who, text, strong = false }: { who: string; text: string; strong?: boolean }) => (
  <div className="grid grid-cols-[5.5rem_minmax(0,1fr)] gap-2 border-b border-line px-3 py-2 text-xs">
    <span className={strong ? "font-semibold text-accent" : "text-ink-3"}>{who}</span>
    <p className="break-words whitespace-pre-wrap">{text}</p>
  </div>
);

/** Messages in the neutral form, or whatever a surface recorded instead. */
export function toMessages(messages: unknown): { role: string; text: string }[] {
  if (!Array.isArray(messages)) return [{ role: "request", text: toText(messages) }];
  return messages.map((message: unknown) => {
    const role = isRecord(message) && typeof message["role"] === "string" ? message["role"] : "message";
    return { role, text: toText(message) };
  });
}

export function toText(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(toText).join("\n");
  if (!isRecord(value)) return JSON.stringify(value) ?? "";
  if (typeof value["text"] === "string") return value["text"];
  if (Array.isArray(value["parts"])) return toText(value["parts"]);
  if (value["content"] !== undefined) return toText(value["content"]);
  return JSON.stringify(value, null, 2);
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
