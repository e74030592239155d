/**
 * What `npm start` prints, in example mode only: a console link, an API key, one command per use case. A production
 * start never prints or mints a credential.
 */
import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";
import { applyConfig, type FilesSnapshotStore, loadConfig, printProblems } from "../config/index.ts";
import { detectorNames } from "../engines/detectors/index.ts";
import { systemClock } from "../kernel/clock.ts";
import { isRefusal } from "../kernel/errors.ts";
import type { Running } from "../main.ts";
import { heldOutApplicants } from "./applicants.ts";

const actor = { id: "weir:example", name: "weir start --example" };
const operatorName = "demo";

export async function greet(running: Running, example: { file: string; store: FilesSnapshotStore }): Promise<void> {
  const key = await mintKey(running);
  const link = await consoleLink(running);
  const { origin } = running;
  const out: string[] = [
    "",
    `Weir serves the bank example at ${origin} (loopback only). These credentials are for this example.`,
    "",
    `Console          ${origin}/console/#token=${link}   (works once, for 15 minutes)`,
    `API key          ${key}`,
    `OpenAI base URL  ${origin}/v1`,
    `Metrics          ${running.opsOrigin}/metrics`,
    "",
    "A loan applicant:",
    creditCommand(origin, key, dirname(example.file)),
    "",
    "A question to the assistant:",
    assistantCommand(origin, key),
    "",
    "Then: npm run weir -- why <x-weir-decision-id> · npm run weir -- verify · npm run weir -- traffic --use-case credit --rate 20",
    await localModelHint(),
    "Stop with Ctrl+C.",
    "",
  ].filter((line) => line !== undefined);
  process.stdout.write(`${out.join("\n")}\n`);
  watchFile(running, example);
}

async function mintKey(running: Running): Promise<string> {
  const pending = running.admin.keys.mint({
    label: "example",
    tenant: "lindenbank",
    principal: { type: "service", id: "example" },
    use_cases: ["*"],
    expires_in_days: 7,
  });
  await running.admin.record({ ...pending.act, operator: actor });
  const { key } = pending.commit();
  running.house.directory.refresh();
  return key;
}

async function consoleLink(running: Running): Promise<string> {
  const { accounts, record } = running.admin;
  const account = await accounts.provision({ name: operatorName, roles: ["admin"] }, actor);
  if (isRefusal(account)) throw new Error(account.message);
  await record(account.act);
  await account.commit();
  const link = await accounts.createLink(operatorName, actor);
  if (isRefusal(link)) throw new Error(link.message);
  await record(link.act);
  return link.commit();
}

function creditCommand(origin: string, key: string, example: string): string {
  const applicant = heldOutApplicants(example)[0]!;
  return [
    `curl -i ${origin}/v1/decisions/credit`,
    `-H 'authorization: Bearer ${key}'`,
    `-H 'x-weir-subject: applicant-${applicant.row}'`,
    "-H 'x-weir-consent: loan-application-2026'",
    "-H 'content-type: application/json'",
    `-d '${JSON.stringify(applicant.body)}'`,
  ].join(" ");
}

const assistantCommand = (origin: string, key: string): string =>
  [
    `curl -i ${origin}/v1/chat/completions`,
    `-H 'authorization: Bearer ${key}'`,
    "-H 'content-type: application/json'",
    `-d '${JSON.stringify({ model: "assistant", messages: [{ role: "user", content: "I have lost my card, what should I do?" }] })}'`,
  ].join(" ");

/** Ollama's and llama.cpp's usual ports, on this machine only. */
const localServers = ["http://127.0.0.1:11434/v1", "http://127.0.0.1:8081/v1"];

async function localModelHint(): Promise<string | undefined> {
  for (const base of localServers) {
    try {
      const answer = await fetch(`${base}/models`, { signal: AbortSignal.timeout(200) });
      const { data } = (await answer.json()) as { data?: { id: string }[] };
      const first = data?.[0]?.id;
      if (first !== undefined)
        return `A local model server answers at ${base} (${first}): let the assistant use it by importing assistant-local.yaml in weir.yaml.`;
    } catch {
      // Nothing listens there: the usual case, and nothing to say about.
    }
  }
  return "The assistant quotes the bank's own passages. For a language model, change one line in examples/bank/weir.yaml.";
}

/** Development: a saved file is applied and served; a bad one leaves the old snapshot serving. */
function watchFile(running: Running, { file, store }: { file: string; store: FilesSnapshotStore }): FSWatcher {
  const { log } = running.house.options;
  let stop = () => {};
  const apply = async () => {
    try {
      const result = loadConfig(file, { detectors: detectorNames });
      if (!result.ok)
        return log.warn(
          `the changed configuration is not applied; the old snapshot serves\n${printProblems(result.problems)}`,
        );
      const applied = await applyConfig(store, result.compiled, {
        clock: systemClock,
        activate: true,
        appliedBy: actor.name,
      });
      if (!applied.ok) log.warn(`nothing was applied\n${printProblems(applied.problems)}`);
      else if (!applied.unchanged)
        await running.admin.record({
          act: "snapshot.apply",
          operator: actor,
          on: `snapshot:${applied.applied.number}`,
        });
    } catch (fault) {
      log.fault("the changed configuration can't be applied", fault);
    }
  };
  // Editors write a file in several steps: wait until it has been quiet for a moment.
  const watcher = watch(dirname(file), { recursive: true, persistent: false }, (_event, name) => {
    if (!name || !/\.(ya?ml|md|onnx)$/.test(name)) return;
    stop();
    stop = systemClock.after(300, () => void apply());
  });
  watcher.on("error", (fault) => log.fault("the configuration is no longer watched", fault));
  return watcher;
}
