/**
 * Files with explicit durability, behind one port: the real disk and a twin whose cache is lost in a crash.
 * Decides when bytes count as kept; never what they mean.
 */
export { MemoryFiles } from "./memory-files.ts";
export { nodeFiles } from "./node-files.ts";
export { FileFault } from "./port.ts";
export type { FilePort, OpenFile } from "./port.ts";
