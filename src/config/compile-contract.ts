/** A feature contract file, checked with positions of its own. */
import type { Feature, FeatureContract } from "../kernel/snapshot.ts";
import type { Declaration } from "./declaration.ts";
import { type ContractConfig, contractSchema, type FeatureConfig } from "./schema-contract.ts";
import { validate } from "./validate.ts";
import { YamlSource } from "./yaml-source.ts";

export function compileContract(
  declaration: Declaration,
  path: string,
  bytes: Uint8Array,
): FeatureContract | undefined {
  const config = validate(new YamlSource(path, bytes), contractSchema, declaration.problems);
  return config && contractOf(config);
}

function contractOf(config: ContractConfig): FeatureContract {
  return {
    name: config.contract,
    version: config.version,
    score: config.score,
    features: Object.entries(config.features).map(featureOf),
    protectedFeatures: Object.entries(config.protected).map(featureOf),
  };
}

function featureOf([name, config]: [string, FeatureConfig]): Feature {
  const { type, values, min, max, nullable, unit, immutable, data_class, description } = config;
  return {
    name,
    type,
    ...(values === undefined ? {} : { values }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    nullable,
    ...(unit === undefined ? {} : { unit }),
    immutable,
    dataClass: data_class,
    ...(description === undefined ? {} : { description }),
  };
}
