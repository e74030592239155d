/**
 * The admin surface: `/admin/v1` for the console, the CLI and scripts of operators. It decides who may see and do what,
 * and journals every act before it answers. It never serves inference, never opens content unjournaled, and keeps no
 * state but open live views.
 */
export { createAdmin } from "./admin.ts";
export type { ContentOpener, Operations } from "./port.ts";
