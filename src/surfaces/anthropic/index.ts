/**
 * The Anthropic-compatible surface: `POST /v1/messages`, whole and streaming. Standard bodies and events only; what is
 * Weir's travels in headers. `model` is the use case.
 */
import type { ClientDialect } from "../../engines/dialects/port.ts";
import { type Gateway, type Route, answerChat } from "../gateway/index.ts";
import { refuseAs } from "../openai/index.ts";

export const anthropicRoutes = (gateway: Gateway, dialect: ClientDialect): Route[] => [
  {
    method: "POST",
    path: "/v1/messages",
    refuse: (exchange, refusal) => refuseAs(dialect, exchange, refusal),
    handle: (exchange) => answerChat(gateway, exchange, dialect, "anthropic"),
  },
];
