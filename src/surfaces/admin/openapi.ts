/** OpenAPI 3.1 from the route table. Schemas with an id become components; everything else stands in place. */
import { z } from "zod";
import { type ErrorCode, errorKinds } from "../../kernel/errors.ts";
import { rolesWith } from "../../operators/index.ts";
import { cookieName } from "./gate.ts";
import type { Route } from "./route.ts";
import { problem } from "./schemas.ts";

type Json = Record<string, unknown>;

export function openApiOf(routes: readonly Route[], version: string): Json {
  const components = new Components();
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = `/admin/v1${route.path.replace(":id", "{id}")}`;
    (paths[path] ??= {})[route.method] = operationOf(route, components);
  }
  components.add(problem);
  return {
    openapi: "3.1.0",
    info: { title: "Weir admin API", version },
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: {
        session: { type: "apiKey", in: "cookie", name: cookieName },
        csrf: { type: "apiKey", in: "header", name: "x-weir-csrf" },
      },
    },
  };
}

class Components {
  readonly schemas: Record<string, unknown> = {};

  /** What goes in; for an answer that is what its handler gives, with room for fields to come. */
  add(schema: z.ZodType): Json {
    const { $schema: _, $defs, ...made } = z.toJSONSchema(schema, { target: "draft-2020-12", io: "input" }) as Json;
    for (const [name, definition] of Object.entries(($defs as Json | undefined) ?? {}))
      this.schemas[name] = relocated(definition);
    const { id, ...rest } = relocated(made) as Json;
    if (typeof id !== "string") return rest;
    this.schemas[id] = rest;
    return { $ref: `#/components/schemas/${id}` };
  }
}

/** zod keeps named schemas in `$defs`; here they live in the document's components. */
function relocated(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relocated);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) =>
    key === "$ref" && typeof inner === "string"
      ? [key, inner.replace("#/$defs/", "#/components/schemas/")]
      : [key, relocated(inner)],
  );
  return Object.fromEntries(entries);
}

function operationOf(route: Route, components: Components): Json {
  const access = route.access === "anyone" || route.access === "signed-in" ? undefined : rolesWith(route.access);
  const secured = route.method === "get" ? { session: [] } : { session: [], csrf: [] };
  return {
    operationId: route.name,
    summary: route.summary,
    ...(access && { description: `Roles: ${access.join(", ")}.` }),
    security: route.access === "anyone" ? [] : [secured],
    ...parametersOf(route, components),
    ...(route.body && {
      requestBody: { required: true, content: { "application/json": { schema: components.add(route.body) } } },
    }),
    responses: { ...answerOf(route, components), ...problemsOf(route, components) },
  };
}

function parametersOf(route: Route, components: Components): Json {
  const parameters: Json[] = [];
  if (route.path.includes(":id"))
    parameters.push({ name: "id", in: "path", required: true, schema: { type: "string" } });
  const query = components.add(route.query) as { properties?: Record<string, Json>; required?: string[] };
  for (const [name, schema] of Object.entries(query.properties ?? {}))
    parameters.push({ name, in: "query", required: query.required?.includes(name) ?? false, schema });
  return parameters.length > 0 ? { parameters } : {};
}

function answerOf(route: Route, components: Components): Json {
  if (route.answer === undefined) return { "204": { description: "Done." } };
  const content =
    route.answer === "stream"
      ? { "text/event-stream": { schema: { type: "string" } } }
      : { "application/json": { schema: components.add(route.answer) } };
  return { "200": { description: route.summary, content } };
}

const codesOfAny: readonly ErrorCode[] = ["invalid_request", "origin_refused", "internal"];

function problemsOf(route: Route, components: Components): Json {
  const codes = new Set<ErrorCode>([...codesOfAny, ...(route.errors ?? [])]);
  if (route.access !== "anyone") codes.add("not_signed_in");
  if (route.access !== "anyone" && route.access !== "signed-in") codes.add("role_required");
  if (route.method !== "get") codes.add("record_unavailable");
  if (route.body)
    for (const code of ["malformed_json", "body_too_large", "unsupported_media_type"] as const) codes.add(code);
  const schema = components.add(problem);
  const byStatus = Map.groupBy(codes, (code) => String(errorKinds[code].status));
  return Object.fromEntries(
    [...byStatus].map(([status, all]) => [
      status,
      { description: all.join(", "), content: { "application/problem+json": { schema } } },
    ]),
  );
}
