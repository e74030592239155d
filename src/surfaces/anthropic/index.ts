/**
 * The Anthropic-compatible surface: `POST /v1/messages`, whole and streaming, and `count_tokens`. Standard bodies and
 * events only; what is Weir's travels in headers. `model` is the use case.
 */
import type { ClientDialect } from "../../engines/dialects/port.ts";
import { isRefusal } from "../../kernel/errors.ts";
import { type Exchange, type Gateway, type Route, answerChat } from "../gateway/index.ts";
import { refuseAs } from "../openai/index.ts";
import { type TokenCounts, countTokens, sendCount } from "./count-tokens.ts";

export const anthropicRoutes = (gateway: Gateway, dialect: ClientDialect, counts: TokenCounts): Route[] => {
  const turnAway: Route["refuse"] = (exchange, refusal) => refuseAs(dialect, exchange, refusal);
  const count = async (exchange: Exchange) => {
    const counted = await countTokens(gateway, exchange, dialect, counts);
    if (!isRefusal(counted)) return sendCount(exchange, counted.tokens);
    gateway.countRefusal(counted);
    turnAway(exchange, counted);
  };
  return [
    {
      method: "POST",
      path: "/v1/messages",
      refuse: turnAway,
      handle: (exchange) => answerChat(gateway, exchange, dialect, "anthropic"),
    },
    { method: "POST", path: "/v1/messages/count_tokens", refuse: turnAway, handle: count },
  ];
};
