/**
 * The price book: what vendors list for their models, by vendor address and model name.
 * It decides which list entry a model means and what its figures are, from the package @pydantic/genai-prices and our
 * own table of what that lacks. It never fetches, is read only when a configuration asks for it, and never prices a
 * request: figures are compiled into the snapshot, so a newer package changes nothing that runs.
 */
export { bookAsOf, bookVersion, findInBook } from "./book.ts";
export type { BookEntry, PriceFigures } from "./figures.ts";
