/** Standard Webhooks 1.0.0 (standardwebhooks.com): what is sent, and how its receiver can tell that it is ours. */
import { createHmac } from "node:crypto";
import type { AlertEvent } from "./alert-book.ts";

/** HMAC-SHA256 over `id.timestamp.body`; the secret is `whsec_` and base64. */
export function webhookHeaders(secret: string, id: string, timestampMs: number, body: string): Record<string, string> {
  const timestamp = String(Math.floor(timestampMs / 1000));
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
}

export function webhookBody({ type, alert }: AlertEvent, atMs: number): string {
  const { fingerprint, rule, severity, labels, summary, value, threshold, state, sinceMs, resolvedMs } = alert;
  return JSON.stringify({
    type: `weir.alert.${type}`,
    timestamp: new Date(atMs).toISOString(),
    data: {
      fingerprint,
      rule,
      severity,
      state,
      summary,
      labels,
      ...(value !== undefined && { value }),
      ...(threshold !== undefined && { threshold }),
      since: new Date(sinceMs).toISOString(),
      ...(resolvedMs !== undefined && { resolved: new Date(resolvedMs).toISOString() }),
    },
  });
}
