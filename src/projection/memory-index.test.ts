import { describeDecisionIndex } from "./index-conformance.ts";
import { MemoryIndex } from "./memory-index.ts";

describeDecisionIndex("MemoryIndex", () => {
  const index = new MemoryIndex();
  return { index, apply: (entries) => index.apply(entries), close: async () => {} };
});
