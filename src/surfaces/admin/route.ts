/** A route as data: what it takes, what it answers and who may call it. Dispatch and OpenAPI are both made from it. */
import type { Context } from "hono";
import { z } from "zod";
import type { ErrorCode, Refusal } from "../../kernel/errors.ts";
import type { Permission, Session } from "../../operators/index.ts";

/** Of @hono/node-server; absent in tests. */
export interface Bindings {
  incoming?: { socket: { remoteAddress?: string } };
}
export type AdminContext = Context<{ Bindings: Bindings }>;

/** `anyone`: no session needed, as for signing in. */
type Access = "anyone" | "signed-in" | Permission;

export interface Call<Query, Body> {
  http: AdminContext;
  /** Only on routes open to anyone may it be absent. */
  session: Session;
  /** The session's token, for streams that look it up again. */
  token: string;
  id: string;
  query: Query;
  body: Body;
}

interface RouteShape {
  method: "get" | "post" | "delete";
  /** Below /admin/v1; `:id` is the only parameter. */
  path: string;
  name: string;
  summary: string;
  access: Access;
  /** Codes beside those that any route may answer. */
  errors?: readonly ErrorCode[];
}

export interface Route extends RouteShape {
  query: z.ZodType;
  body: z.ZodType | undefined;
  /** `undefined`: 204 without a body; "stream": the handler answers text/event-stream itself. */
  answer: z.ZodType | "stream" | undefined;
  handle(call: Call<never, never>): Promise<unknown>;
}

const noQuery = z.strictObject({});

/** Binds the types of schemas and handler together; the table itself no longer needs them. */
export function route<
  Query extends z.ZodType = typeof noQuery,
  Body extends z.ZodType = z.ZodUndefined,
  Answer extends z.ZodType = z.ZodVoid,
>(
  shape: RouteShape & {
    query?: Query;
    body?: Body;
    answer?: Answer;
    handle(call: Call<z.output<Query>, z.output<Body>>): Promise<z.input<Answer> | Refusal>;
  },
): Route {
  return { ...shape, query: shape.query ?? noQuery, body: shape.body, answer: shape.answer };
}

export function streamRoute<Query extends z.ZodType>(
  shape: RouteShape & { query: Query; handle(call: Call<z.output<Query>, undefined>): Promise<Response | Refusal> },
): Route {
  return { ...shape, body: undefined, answer: "stream" };
}
