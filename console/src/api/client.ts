/** One way to the admin API: same origin, CSRF header on every write, problem documents as `ApiProblem`. */
import { reportConnection } from "./connection.ts";

const base = "/admin/v1";
let csrfToken: string | undefined;

export function setCsrfToken(token: string | undefined): void {
  csrfToken = token;
}

/** A "no" of the server, in its own words. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly fix: string | undefined;
  constructor(status: number, code: string, message: string, fix?: string) {
    super(message);
    this.name = "ApiProblem";
    this.status = status;
    this.code = code;
    this.fix = fix;
  }
}

/** The server could not be reached at all. */
export class Unreachable extends Error {
  constructor() {
    super("Weir does not answer. The console tries again by itself.");
    this.name = "Unreachable";
  }
}

export interface CallOptions {
  method?: "GET" | "POST" | "DELETE";
  body?: unknown;
  signal?: AbortSignal;
}

export async function call<Answer>(path: string, options: CallOptions = {}): Promise<Answer> {
  const response = await send(path, options);
  if (!response.ok) throw await problemOf(response);
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

async function send(path: string, { method = "GET", body, signal }: CallOptions): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET" && csrfToken !== undefined) headers["x-weir-csrf"] = csrfToken;
  const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) init.body = JSON.stringify(body);
  if (signal !== undefined) init.signal = signal;
  try {
    const response = await fetch(base + path, init);
    reportConnection("ok");
    return response;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    reportConnection("lost");
    throw new Unreachable();
  }
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const fallback = `Weir answered ${response.status} ${response.statusText}`.trim() + ".";
  try {
    const problem = (await response.json()) as { code?: string; title?: string; detail?: string; fix?: string };
    const message = problem.detail ?? problem.title ?? fallback;
    return new ApiProblem(response.status, problem.code ?? "unknown", message, problem.fix);
  } catch {
    return new ApiProblem(response.status, "unknown", fallback);
  }
}

/** `?a=1&b=2` of the values that are set. */
export function queryOf(values: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== "") query.set(name, String(value));
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

export const streamUrl = (path: string): string => base + path;
