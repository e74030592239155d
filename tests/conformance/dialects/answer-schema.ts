import { z } from "zod";

/** What structured answers hold in these tests. */
export const Answer = z.object({ city: z.string(), months: z.number() });
export const answerText = '{"city":"Zürich","months":12}';
export const answer: z.output<typeof Answer> = { city: "Zürich", months: 12 };
