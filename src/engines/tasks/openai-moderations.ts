/** OpenAI's Moderations as clients speak it. Categories are the detectors that were asked, and no others: what nobody looked for is not said to be absent. */
import type { ModerateRequest } from "../../kernel/task.ts";
import { BodyFault, fieldsAt, listAt, nonEmptyTextAt, textAt } from "../dialects/body-reader.ts";
import type { ClientTask } from "./port.ts";
import { refusalAsValue } from "./reading.ts";

const mostInputs = 256;

export const openaiModerationsClient: ClientTask<ModerateRequest> = {
  decodeRequest: (body) =>
    refusalAsValue(() => {
      const fields = fieldsAt(body, "");
      const request: ModerateRequest = { kind: "moderate", inputs: inputsAt(fields["input"]), unmodelled: [] };
      for (const key in fields)
        if (key !== "model" && key !== "input" && fields[key] !== null && fields[key] !== undefined)
          request.unmodelled.push(key);
      return { model: nonEmptyTextAt(fields["model"], "model"), request };
    }),
  encodeResponse: ({ model, results }, _request, { decision }) => ({
    id: `modr-${decision}`,
    model,
    results: results.map(({ findings }) => {
      const found = Object.entries(findings).map(([category, count]) => [category, count > 0] as const);
      return {
        flagged: found.some(([, hit]) => hit),
        categories: Object.fromEntries(found),
        category_scores: Object.fromEntries(found.map(([category, hit]) => [category, hit ? 1 : 0])),
        category_applied_input_types: Object.fromEntries(found.map(([category]) => [category, ["text"]])),
      };
    }),
  }),
};

function inputsAt(value: unknown): string[] {
  if (typeof value === "string") return [value];
  const list = listAt(value, "input");
  if (list.length === 0) throw new BodyFault("input", "input must not be empty.");
  if (list.length > mostInputs) throw new BodyFault("input", `input has more than ${mostInputs} items.`);
  return list.map((item, i) => {
    if (typeof item === "string") return item;
    const part = fieldsAt(item, `input[${i}]`);
    if (part["type"] === "text") return textAt(part["text"], `input[${i}].text`);
    throw new BodyFault(`input[${i}]`, `input[${i}]: only text can be judged; leave out other parts.`);
  });
}
