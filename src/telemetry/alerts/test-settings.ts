import type { AlertSettings } from "../port.ts";

/** As the configuration's defaults are. */
export const someSettings = (over: Partial<AlertSettings> = {}): AlertSettings => ({
  everyMs: 5000,
  renotifyMs: 4 * 3600_000,
  resolveAfterMs: 60_000,
  webhooks: [],
  silences: [],
  defaultObjective: { availability: 0.99, minRequests: 20 },
  objectives: new Map(),
  errors: { enabled: true, above: 0.1, minRequests: 20 },
  fallbacks: { enabled: true, above: 0.2, minRequests: 20 },
  climbs: { enabled: true, above: 0.7, minRequests: 20 },
  cache: { dropTo: 0.5, minRequests: 100 },
  anomaly: {
    enabled: true,
    z: 6,
    warmupMinutes: 30,
    minRequests: 20,
    holdMs: 600_000,
    actions: { minimal: "log", limited: "alert", high: "throttle" },
  },
  ...over,
});
