/**
 * Decides what telemetry may call and how: https to public addresses, anything else only where the configuration names
 * the host; no redirects, every call with a time limit, bounded queues that try again with growing pauses. It never
 * holds up a request, never puts an address or a secret into a message, and never decides what is sent.
 */
export { Delivery, type DeliveryOutcome } from "./delivery.ts";
export { type Outbound, createOutbound } from "./outbound.ts";
