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
  #byName = new Map<string, LoadedModel | { failed: string }>();

  constructor(runtimes: readonly Runtime[]) {
    this.#runtimes = new Map(runtimes.map((runtime) => [runtime.name, runtime]));
  }

  get(name: string): LoadedModel | { failed: string } {
    return this.#byName.get(name) ?? { failed: "it is not part of the current snapshot" };
  }

  /** Resolves when every model is loaded or has failed; reports each failure once. A model that no longer serves is closed one load later. */
  async load(snapshot: Snapshot, report: (model: string, why: string) => void): Promise<void> {
    const byContent = new Map<string, LoadedModel>();
    const byName = new Map<string, LoadedModel | { failed: string }>();
    for (const model of snapshot.models.values()) {
      if (model.type !== "runtime") continue;
      const contract = contractOf(snapshot, model);
      const key = [
        model.runtime,
        "file" in model ? model.file.sha256 : "",
        contract ? JSON.stringify(contract) : "",
      ].join("\n");
      try {
        const loaded = byContent.get(key) ?? this.#byContent.get(key) ?? (await this.#loadOne(model, contract));
        byContent.set(key, loaded);
        byName.set(model.name, loaded);
      } catch (fault) {
        const why = fault instanceof Error ? fault.message : String(fault);
        byName.set(model.name, { failed: why });
        report(model.name, why);
      }
    }
    const old = this.#byContent;
    this.#byContent = byContent;
    this.#byName = byName;
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
    this.#byName.clear();
  }
}

/** The feature contract of the use cases that have this model on a rung; config refuses models with two contracts. */
function contractOf(snapshot: Snapshot, model: InProcess): FeatureContract | undefined {
  const uses = (useCase: UseCase) => useCase.ladder.some((rung) => rung.type === "model" && rung.model === model.name);
  return [...snapshot.useCases.values()].find((useCase) => useCase.contract && uses(useCase))?.contract;
}
