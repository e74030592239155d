import { resolve } from "node:path";
import type { Command } from "commander";
import { type Refusal, isRefusal } from "../kernel/errors.ts";
import type { PendingOverride } from "../stages/route/index.ts";
import type { RouteOverride } from "../stages/route/port.ts";
import { type ControlPlane, openControlPlane } from "./control-plane.ts";
import { withData } from "./options.ts";

interface OverrideCommand {
  data: string;
  force?: string;
  exclude?: string;
  useCase?: string;
  for: string;
  reason: string;
}

export function addRoute(program: Command): void {
  const route = program.command("route").description("what operators decide over the ladder's head, for a while");
  withData(route.command("override").description("prefer or leave out a model, a vendor or a rung, until a time"))
    .option("--force <target>", "model:NAME, vendor:NAME or rung:NUMBER; other models stay closed where it is open")
    .option("--exclude <target>", "model:NAME, vendor:NAME or rung:NUMBER")
    .option("--use-case <name>", "only for this use case; default: all")
    .requiredOption("--for <duration>", "how long, e.g. 30m, 2h, 3d")
    .requiredOption("--reason <text>", "why; it is recorded")
    .action((options: OverrideCommand) => inPlane(options.data, (plane) => override(plane, options)));
  withData(route.command("list").description("the overrides in force")).action((options: { data: string }) =>
    inPlane(options.data, async (plane) => {
      for (const each of plane.overrides.list()) process.stdout.write(`${lineOf(each)}\n`);
    }),
  );
  withData(route.command("clear").description("end an override now, in every running server"))
    .argument("<id>")
    .requiredOption("--reason <text>", "why; it is recorded")
    .action((id: string, options: { data: string; reason: string }) =>
      inPlane(options.data, async (plane) => {
        await perform(plane, plane.overrides.clear(id, options.reason));
        process.stdout.write(`cleared ${id}\n`);
      }),
    );
}

async function inPlane(data: string, act: (plane: ControlPlane) => Promise<void>): Promise<void> {
  const plane = await openControlPlane(resolve(data), "dev");
  try {
    await act(plane);
  } finally {
    await plane.close();
  }
}

async function override(plane: ControlPlane, options: OverrideCommand): Promise<void> {
  const named = options.force ?? options.exclude;
  if (named === undefined || (options.force !== undefined && options.exclude !== undefined))
    throw new Error("say either --force or --exclude, with model:NAME, vendor:NAME or rung:NUMBER");
  const pending = plane.overrides.override({
    act: options.force === undefined ? "exclude" : "force",
    on: targetOf(named),
    ...(options.useCase !== undefined && { use_case: options.useCase }),
    forMs: durationOf(options.for),
    reason: options.reason,
    operator: plane.actor,
  });
  process.stdout.write(`${lineOf(await perform(plane, pending))}\n`);
}

/** Journals the act, then does it. */
async function perform<T>(plane: ControlPlane, pending: PendingOverride<T> | Refusal): Promise<T> {
  if (isRefusal(pending)) throw new Error(pending.message);
  await plane.record({ ...pending.act, operator: plane.actor });
  return pending.commit();
}

function targetOf(text: string): RouteOverride["on"] {
  const [, kind, name] = /^(model|vendor|rung):(.+)$/.exec(text) ?? [];
  if (kind === "model") return { model: name! };
  if (kind === "vendor") return { vendor: name! };
  if (kind === "rung" && /^[1-9]\d{0,3}$/.test(name!)) return { rung: Number(name) };
  throw new Error(`"${text}" is no target; write model:NAME, vendor:NAME or rung:NUMBER (the first rung is 1)`);
}

const unitMs: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationOf(text: string): number {
  const [, amount, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (unit === undefined) throw new Error(`"${text}" is no duration; write e.g. 30m, 2h or 3d`);
  return Number(amount) * unitMs[unit]!;
}

function lineOf({ id, act, on, use_case, until_ms, reason, operator }: RouteOverride): string {
  const [[kind, name]] = Object.entries(on) as [[string, string | number]];
  const until = new Date(until_ms).toISOString();
  return [id, act, `${kind}:${name}`, use_case ?? "every use case", `until ${until}`, operator.name, reason].join("\t");
}
