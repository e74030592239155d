/**
 * What all inference surfaces share: the HTTP server, defensive reading, headers of answers, chats and
 * tasks over any format.
 * It translates between HTTP and the path; it decides nothing about a request's content.
 */
export { answerChat } from "./chat.ts";
export { type Exchange, type Gateway, callOf, readBytes, readJson, readJsonAsk } from "./exchange.ts";
export { answerHeaders, problemOf, refusalHeaders, sendBytes, sendJson } from "./reply.ts";
export { credentialOf, parseJson } from "./request.ts";
export { type Route, createGatewayServer, refuseAsProblem } from "./server.ts";
export { answerTask } from "./task.ts";
