/** Images, files and audio of a request, as parts of messages and of tool results. */
import type { CacheMark, ChatPart, MediaPart, TextPart } from "../../../kernel/chat.ts";
import { BodyFault, type Fields, fieldsAt, nonEmptyTextAt, noteUnmodelled, textAt } from "../body-reader.ts";
import { imageFromUrl, imageToUrl, splitDataUrl } from "../image.ts";

type Image = Extract<MediaPart, { type: "image" }>;
type File = Extract<MediaPart, { type: "file" }>;
type Audio = Extract<MediaPart, { type: "audio" }>;

const present = (value: unknown): boolean => value !== undefined && value !== null;

type Reader = (part: Fields, path: string, unmodelled: string[]) => (TextPart | MediaPart) | undefined;

const texts =
  (known: ReadonlySet<string>): Reader =>
  (part, path, unmodelled) => {
    noteUnmodelled(part, known, path, unmodelled);
    const text = textAt(part["text"], `${path}.text`);
    return text === "" ? undefined : { type: "text", text, ...cacheOf(part, path, unmodelled) };
  };

/** By type; what is not among them has no neutral form. */
export const contentReaders = new Map<unknown, Reader>([
  ["input_text", texts(new Set(["type", "text", "prompt_cache_breakpoint"]))],
  ["text", texts(new Set(["type", "text"]))],
  [
    "output_text",
    (part, path, unmodelled) => {
      noteUnmodelled(part, new Set(["type", "text", "annotations", "logprobs"]), path, unmodelled);
      if (Array.isArray(part["annotations"]) && part["annotations"].length > 0) unmodelled.push(`${path}.annotations`);
      const text = textAt(part["text"], `${path}.text`);
      return text === "" ? undefined : { type: "text", text };
    },
  ],
  [
    "refusal",
    (part, path) => {
      // Some clients keep a refusal's words where a text's are.
      const [key, words] = present(part["refusal"]) ? ["refusal", part["refusal"]] : ["text", part["text"]];
      return { type: "text", text: textAt(words, `${path}.${key}`), refusal: true };
    },
  ],
  ["input_image", readImage],
  ["input_file", readFile],
  ["input_audio", readAudio],
]);

/** Its shortest life is OpenAI's default of half an hour, the longer one twelve hours. */
function cacheOf(part: Fields, path: string, unmodelled: string[]): { cache?: CacheMark } {
  const mark = part["prompt_cache_breakpoint"];
  if (!present(mark)) return {};
  const at = `${path}.prompt_cache_breakpoint`;
  const fields = fieldsAt(mark, at);
  noteUnmodelled(fields, new Set(["mode", "ttl"]), at, unmodelled);
  return { cache: fields["ttl"] === "12h" ? "1h" : "5m" };
}

export const encodeCache = ({ cache }: { cache?: CacheMark }): Fields =>
  cache === undefined
    ? {}
    : { prompt_cache_breakpoint: { mode: "explicit", ...(cache === "1h" ? { ttl: "12h" } : {}) } };

const details = new Set<unknown>(["low", "high", "auto", "original"]);

function readImage(part: Fields, path: string, unmodelled: string[]): Image {
  const known = new Set(["type", "image_url", "file_id", "detail", "prompt_cache_breakpoint"]);
  noteUnmodelled(part, known, path, unmodelled);
  const rest: Omit<Image, "type"> = cacheOf(part, path, unmodelled);
  const { detail } = part;
  if (details.has(detail)) rest.detail = detail as NonNullable<Image["detail"]>;
  else if (present(detail)) unmodelled.push(`${path}.detail`);
  if (present(part["image_url"])) {
    return { ...imageFromUrl(nonEmptyTextAt(part["image_url"], `${path}.image_url`)), ...rest };
  }
  if (present(part["file_id"])) {
    return { type: "image", file_id: nonEmptyTextAt(part["file_id"], `${path}.file_id`), ...rest };
  }
  throw new BodyFault(path, `${path} must have an image_url or a file_id.`);
}

function readFile(part: Fields, path: string, unmodelled: string[]): File {
  const known = new Set(["type", "file_data", "file_url", "file_id", "filename", "prompt_cache_breakpoint"]);
  noteUnmodelled(part, known, path, unmodelled);
  const rest: Omit<File, "type"> = cacheOf(part, path, unmodelled);
  if (present(part["filename"])) rest.name = textAt(part["filename"], `${path}.filename`);
  for (const key of ["file_data", "file_url"]) {
    if (!present(part[key])) continue;
    const text = nonEmptyTextAt(part[key], `${path}.${key}`);
    const bytes = splitDataUrl(text);
    if (bytes !== undefined) return { type: "file", ...bytes, ...rest };
    return key === "file_url" ? { type: "file", url: text, ...rest } : { type: "file", data: text, ...rest };
  }
  if (present(part["file_id"])) {
    return { type: "file", file_id: nonEmptyTextAt(part["file_id"], `${path}.file_id`), ...rest };
  }
  throw new BodyFault(path, `${path} must have file_data, a file_url or a file_id.`);
}

function readAudio(part: Fields, path: string, unmodelled: string[]): Audio {
  noteUnmodelled(part, new Set(["type", "input_audio"]), path, unmodelled);
  const audio = fieldsAt(part["input_audio"], `${path}.input_audio`);
  return {
    type: "audio",
    data: nonEmptyTextAt(audio["data"], `${path}.input_audio.data`),
    format: nonEmptyTextAt(audio["format"], `${path}.input_audio.format`),
  };
}

/** Undefined for what the API has no part for; `dropped` then names it. */
export function encodeMedia(part: MediaPart, dropped: Set<string>): Fields | undefined {
  switch (part.type) {
    case "image":
      return {
        type: "input_image",
        ...(part.file_id === undefined ? { image_url: imageToUrl(part) } : { file_id: part.file_id }),
        ...(part.detail === undefined ? {} : { detail: part.detail }),
        ...encodeCache(part),
      };
    case "file":
      return { type: "input_file", ...encodeFile(part), ...encodeCache(part) };
    case "audio":
      if (part.data !== undefined) {
        return { type: "input_audio", input_audio: { data: part.data, format: part.format ?? "wav" } };
      }
      dropped.add("messages.audio");
      return undefined;
  }
}

function encodeFile({ file_id, url, data, media_type, name }: File): Fields {
  const filename = name === undefined ? {} : { filename: name };
  if (file_id !== undefined) return { file_id };
  if (url !== undefined) return { file_url: url, ...filename };
  // Bytes without a name are refused.
  const made = `document.${/^[a-z]+\/([a-z0-9]+)$/.exec(media_type ?? "")?.[1] ?? "bin"}`;
  return {
    filename: made,
    ...filename,
    file_data: `data:${media_type ?? "application/octet-stream"};base64,${data ?? ""}`,
  };
}

export const isMedia = (part: ChatPart): part is MediaPart =>
  part.type === "image" || part.type === "file" || part.type === "audio";
