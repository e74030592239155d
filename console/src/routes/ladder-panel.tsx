/** The ladder from the first rung down: what each holds, and how many of the newest decisions it took. */
import type { LadderRung, RouteOfUseCase } from "../api/operations.ts";
import { formatClock, zoneOf } from "../figures/instant.ts";
import { formatCount, formatDuration, formatShare } from "../figures/quantity.ts";
import { Mark } from "../shell/mark.tsx";
import { Money } from "../shell/money.tsx";
import { Panel } from "../shell/panel.tsx";
import { ShareBar } from "../shell/tile.tsx";

type Choice = RouteOfUseCase["recent"]["choices"][number];
type Cascade = RouteOfUseCase["cascades"][number];

export function LadderPanel({ route }: { route: RouteOfUseCase }) {
  const { recent } = route;
  const unrouted = recent.choices.filter(({ rung }) => rung === undefined);
  return (
    <Panel
      title="Ladder"
      flush
      aside={
        recent.from_ms === undefined
          ? "no decision yet"
          : `choices of the newest ${formatCount(recent.decisions)} decisions, since ${formatClock(recent.from_ms)} ${zoneOf(recent.from_ms)}`
      }
    >
      <table className="data-table">
        <thead>
          <tr>
            <th scope="col" className="num w-12">
              Rung
            </th>
            <th scope="col">Model</th>
            <th scope="col">Taken when</th>
            <th scope="col" className="w-[22%]">
              Chosen
            </th>
            <th scope="col" className="num">
              Answered
            </th>
            <th scope="col" className="num">
              Mean time
            </th>
            <th scope="col" className="num">
              Cost each
            </th>
          </tr>
        </thead>
        <tbody>
          {route.ladder.map((rung) => (
            <RungLines key={rung.rung} rung={rung} route={route} />
          ))}
          {unrouted.map((choice) => (
            <tr key={choice.model ?? ""}>
              <td className="num text-ink-3">–</td>
              <td className="text-ink-2">
                {choice.model === undefined ? "refused before a rung was taken" : `${choice.model}, remembered`}
              </td>
              <td className="text-ink-3">–</td>
              <ChoiceCells choice={choice} total={recent.decisions} />
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function RungLines({ rung, route }: { rung: LadderRung; route: RouteOfUseCase }) {
  const chosen = route.recent.choices.filter((choice) => choice.rung === rung.rung);
  const cascades = route.cascades.filter((cascade) => cascade.rung === rung.rung);
  const others = chosen.filter(({ model }) => !rung.members.some((member) => member.model === model));
  const lines = [
    ...rung.members.map((member) => ({ member, choice: chosen.find(({ model }) => model === member.model) })),
    // What the rung held under an earlier configuration, and rungs without a model.
    ...others.map((choice) => ({ member: undefined, choice })),
  ];
  if (lines.length === 0) lines.push({ member: undefined, choice: undefined as never });
  return lines.map(({ member, choice }, at) => (
    <tr key={member?.model ?? choice?.model ?? ""}>
      <td className="num">{at === 0 ? rung.rung + 1 : ""}</td>
      <td className="min-w-36">
        {member === undefined ? (
          <span className="font-medium">{wordsOf(rung, choice)}</span>
        ) : (
          <MemberWords member={member} />
        )}
      </td>
      <td className="min-w-40">
        {at === 0 && <Terms rung={rung} />}
        {member?.when !== undefined && <Term name="when" text={member.when} />}
        {rung.type === "pool" && member !== undefined && (
          <span className="block text-2xs text-ink-3">
            weight {member.weight ?? 1}
            {member.up_to_tokens !== undefined && `, up to ${formatCount(member.up_to_tokens)} tokens`}
          </span>
        )}
        {cascades
          .filter(({ model }) => model === member?.model)
          .map((cascade) => (
            <CascadeWords key={cascade.model} cascade={cascade} />
          ))}
      </td>
      <ChoiceCells choice={choice} total={route.recent.decisions} />
    </tr>
  ));
}

function wordsOf(rung: LadderRung, choice: Choice | undefined): string {
  if (rung.type === "refer") return `refer to ${rung.refer_to ?? "people"}`;
  if (rung.type === "template") return "template";
  return `${choice?.model ?? "no model"} (no longer in the ladder)`;
}

const MemberWords = ({ member }: { member: LadderRung["members"][number] }) => (
  <>
    <span className="font-medium">{member.model}</span>
    {member.slot !== undefined && <span className="text-ink-3"> in slot {member.slot}</span>}
    <span className="block text-2xs text-ink-3">
      {member.target === undefined ? (
        "in this process"
      ) : (
        <>
          <span className="mono">{member.target}</span> · {member.region} · up to {member.data_class}
        </>
      )}
    </span>
  </>
);

function Terms({ rung }: { rung: LadderRung }) {
  const accept = rung.accept && [
    ...(rung.accept.schema ? ["fits its schema"] : []),
    ...(rung.accept.confidence === undefined ? [] : [`confidence ≥ ${rung.accept.confidence}`]),
    ...(rung.accept.abstains ? [] : ["doesn't abstain"]),
  ];
  return (
    <>
      {rung.strategy !== undefined && (
        <span className="block">
          pool: <span className="font-medium">{rung.strategy}</span>
        </span>
      )}
      {rung.when !== undefined && <Term name="when" text={rung.when} />}
      {accept !== undefined && <span className="block text-ink-2">accepted if it {accept.join(", ")}</span>}
      {rung.strategy === undefined && rung.when === undefined && accept === undefined && (
        <span className="text-ink-3">always</span>
      )}
    </>
  );
}

const Term = ({ name, text }: { name: string; text: string }) => (
  <span className="block text-ink-2">
    {name} <code className="mono text-ink">{text}</code>
  </span>
);

const CascadeWords = ({ cascade }: { cascade: Cascade }) => {
  const { state, accepted, accepted_at_most, break_even, judged, c1_nano_usd, c2_nano_usd } = cascade;
  return (
    <span className="mt-1 block">
      {state === "off" ? (
        <Mark tone="held">cascade off: it costs more than it saves</Mark>
      ) : state === "exploring" ? (
        <Mark tone="warn">cascade off, but tried now and then</Mark>
      ) : (
        <Mark tone="ok">cascade on</Mark>
      )}
      <span className="block text-2xs text-ink-2">
        p(accept) {accepted.toFixed(3)} (at most {accepted_at_most.toFixed(3)}, {formatCount(judged)} judged)
        {break_even !== undefined && ` ${accepted > break_even ? ">" : "≤"} c1/c2 ${break_even.toFixed(3)}`}
      </span>
      <span className="block text-2xs text-ink-3">
        c1 <Money nanoUsd={c1_nano_usd} /> here, c2 <Money nanoUsd={c2_nano_usd} /> on the next rung
      </span>
    </span>
  );
};

const ChoiceCells = ({ choice, total }: { choice: Choice | undefined; total: number }) =>
  choice === undefined ? (
    <>
      <td className="text-ink-3">{total === 0 ? "–" : "not lately"}</td>
      <td className="num text-ink-3">–</td>
      <td className="num text-ink-3">–</td>
      <td className="num text-ink-3">–</td>
    </>
  ) : (
    <>
      <td className="min-w-32">
        <span className="mb-1 block">
          {formatShare(choice.decisions, total)}{" "}
          <span className="text-2xs text-ink-3">
            {formatCount(choice.decisions)}
            {choice.cache_hits > 0 && `, ${formatCount(choice.cache_hits)} from cache`}
          </span>
        </span>
        <ShareBar part={choice.decisions} whole={total} />
      </td>
      <td className="num">{formatShare(choice.answered, choice.decisions)}</td>
      <td className="num">{formatDuration(choice.mean_ms)}</td>
      <td className="num">
        <Money nanoUsd={Math.round(choice.cost_nano_usd / choice.decisions)} />
      </td>
    </>
  );
