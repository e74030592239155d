import type { HealthPolicy } from "../../../kernel/snapshot.ts";

/** Where a vendor declares nothing. The first three are Envoy's outlier detection, but for the smaller volume. */
export const defaultHealth: HealthPolicy = {
  consecutiveFailures: 5,
  failureRate: 0.5,
  minRequests: 20,
  openMs: 5_000,
  slowStartMs: 30_000,
  retryShare: 0.1,
};
