/** JSON Schemas for editors, made from the schemas that check the files. */
import { z } from "zod";
import { configSchema } from "./schema.ts";
import { consentsSchema } from "./schema-consents.ts";
import { contractSchema } from "./schema-contract.ts";

/** Put \`# yaml-language-server: $schema=…\` at the top of a file to use one. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: "input" });
}

export function contractJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(contractSchema, { io: "input" });
}

export function consentsJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(consentsSchema, { io: "input" });
}
