import type { LoadedModel, Runtime } from "../../engines/runtimes/port.ts";
import type { FeatureContract, Model, Snapshot, UseCase } from "../../kernel/snapshot.ts";
import type { ModelHost } from "./port.ts";

type InProcess = Extract<Model, { type: "runtime" }>;

/**
 * Loads the in-process models of a snapshot. A model that can't be loaded doesn't stop the others: its rungs are then
 * not eligible and say why. Models are kept by content, so that a new snapshot with the same file loads nothing.
 */
export class ModelHouse implements ModelHost {
  readonly #runtimes: ReadonlyMap<string, Runtime>;
  #byContent = new Map<string, LoadedModel>();
  #retired: LoadedModel[] = [];
  /** By the snapshot's own object: a decision under an old snapshot never meets the new model of the same name. */
  #byModel = new WeakMap<InProcess, LoadedModel | { failed: string }>();

  constructor(runtimes: readonly Runtime[]) {
    this.#runtimes = new Map(runtimes.map((runtime) => [runtime.name, runtime]));
  }

  get(model: InProcess): LoadedModel | { failed: string } {
    return this.#byModel.get(model) ?? { failed: "it has not been loaded" };
  }

  /** Resolves when every model is loaded or has failed; reports each failure once. A model that no longer serves is closed one load later. */
  async load(snapshot: Snapshot, report: (model: string, why: string) => void): Promise<void> {
    const byContent = new Map<string, LoadedModel>();
    for (const model of snapshot.models.values()) {
      if (model.type !== "runtime") continue;
      try {
        const contract = contractOf(snapshot, model);
        const digest = "file" in model ? model.file.sha256 : "";
        const key = [model.runtime, digest, contract ? JSON.stringify(contract) : ""].join("\n");
        const loaded = byContent.get(key) ?? this.#byContent.get(key) ?? (await this.#loadOne(model, contract));
        byContent.set(key, loaded);
        this.#byModel.set(model, loaded);
      } catch (fault) {
        const why = fault instanceof Error ? fault.message : String(fault);
        this.#byModel.set(model, { failed: why });
        report(model.name, why);
      }
    }
    const old = this.#byContent;
    this.#byContent = byContent;
    // Requests of the old snapshot may still be running on it: it goes with the load after the next.
    for (const model of this.#retired) await model.close();
    this.#retired = [...old].filter(([key]) => !byContent.has(key)).map(([, model]) => model);
  }

  #loadOne(model: InProcess, contract: FeatureContract | undefined): Promise<LoadedModel> {
    const runtime = this.#runtimes.get(model.runtime);
    if (!runtime) throw new Error(`there is no runtime "${model.runtime}"`);
    return runtime.load({
      name: model.name,
      ...("file" in model && { bytes: model.file.bytes() }),
      ...(contract && { contract }),
    });
  }

  async close(): Promise<void> {
    for (const model of [...this.#byContent.values(), ...this.#retired]) await model.close();
    this.#retired = [];
    this.#byContent.clear();
    this.#byModel = new WeakMap();
  }
}

/** The feature contract of the use cases that have this model on a rung. Throws where they disagree. */
function contractOf(snapshot: Snapshot, model: InProcess): FeatureContract | undefined {
  const uses = ({ ladder }: UseCase) => ladder.some((rung) => rung.type === "model" && rung.model === model.name);
  const users = [...snapshot.useCases.values()].filter((useCase) => useCase.contract && uses(useCase));
  const contracts = new Map(users.map(({ contract }) => [JSON.stringify(contract), contract]));
  if (contracts.size > 1)
    throw new Error(
      `model ${model.name}: the use cases ${users.map(({ name }) => name).join(", ")} give it different contracts; declare it once for each`,
    );
  return contracts.values().next().value;
}
