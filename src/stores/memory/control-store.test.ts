import { describeControlStores } from "../../operators/store-conformance.ts";
import { memoryControlStore } from "./control-store.ts";

describeControlStores("memoryControlStore", () => ({ stores: memoryControlStore(), close: () => {} }));
