/** What names and reasons in queries and bodies look like. */
import { z } from "zod";

export const word = z.string().min(1).max(200);
export const reason = z.string().trim().min(3).max(500);
