/** What the protocol says about server and models. A model is a use case of kind score, its one version the current bundle. */
import type { FeatureContract, UseCase } from "../../kernel/snapshot.ts";
import { type Datatype, datatypeOf } from "./datatypes.ts";

export const outputNames = ["score", "result", "decision_id"] as const;
export type OutputName = (typeof outputNames)[number];

export const outputDatatypes: Record<OutputName, "FP64" | "BYTES"> = {
  score: "FP64",
  result: "BYTES",
  decision_id: "BYTES",
};

interface TensorMetadata {
  name: string;
  datatype: Datatype;
  shape: readonly number[];
}

/** Any number of rows, one value each. */
const shape = [-1, 1] as const;

export const versionOf = (useCase: UseCase): string => useCase.bundle.slice(0, 12);

export const modelMetadata = (useCase: UseCase, contract: FeatureContract) => ({
  name: useCase.name,
  versions: [versionOf(useCase)],
  platform: "weir_score",
  inputs: contract.features.map((feature): TensorMetadata => ({
    name: feature.name,
    datatype: datatypeOf(feature),
    shape,
  })),
  outputs: outputNames.map((name): TensorMetadata => ({ name, datatype: outputDatatypes[name], shape })),
});
