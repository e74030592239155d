/** Pictures, files and sounds: base64 within the part, or a URI that Google can read. */
import type { MediaPart } from "../../../kernel/chat.ts";
import { type Fields, isFields, textOr } from "../body-reader.ts";

type Audio = Extract<MediaPart, { type: "audio" }>;

/** What a part of an answer shows. */
export function mediaOf(part: Fields): MediaPart | undefined {
  const { inlineData, fileData } = part;
  if (isFields(inlineData)) {
    const type = textOr(inlineData["mimeType"], "");
    const data = textOr(inlineData["data"], "");
    if (data === "") return undefined;
    if (type.startsWith("audio/")) return { type: "audio", format: formatOf(type), data };
    return { type: type.startsWith("image/") ? "image" : "file", ...typed(type), data };
  }
  if (!isFields(fileData)) return undefined;
  const url = textOr(fileData["fileUri"], "");
  const type = textOr(fileData["mimeType"], "");
  if (url === "") return undefined;
  return { type: type.startsWith("image/") ? "image" : "file", ...typed(type), url };
}

const typed = (type: string) => (type === "" ? {} : { media_type: type });

/** `audio/L16;codec=pcm;rate=24000` is what Gemini speaks: raw samples. */
const formatOf = (type: string): string => {
  const format = type.slice("audio/".length).split(";")[0]!.toLowerCase();
  return format === "l16" ? "pcm16" : format === "mpeg" ? "mp3" : format;
};

/** Undefined where Gemini has no form for it; what it loses is named. */
export function encodeMedia(part: MediaPart, dropped: Set<string>): Fields | undefined {
  if (part.type === "audio") return encodeAudio(part, dropped);
  if (part.type === "image" && part.detail !== undefined && part.detail !== "auto") {
    dropped.add("messages.image.detail");
  }
  if (part.type === "file" && part.name !== undefined) dropped.add("messages.file.name");
  if (part.data !== undefined) {
    return { inlineData: { mimeType: typeOf(part), data: part.data } };
  }
  const uri = part.url ?? googleFile(part.file_id);
  if (uri !== undefined) {
    const mimeType = part.media_type ?? typeOfName(uri);
    return { fileData: { ...(mimeType !== undefined && { mimeType }), fileUri: uri } };
  }
  dropped.add(`messages.${part.type}`);
  return undefined;
}

/** Files lie at the vendor that they were given to; Google's are named by URI. */
const googleFile = (id: string | undefined): string | undefined =>
  id !== undefined && /^(?:gs|https):\/\//.test(id) ? id : undefined;

function typeOf(part: Exclude<MediaPart, Audio>): string {
  const type = part.media_type ?? (part.type === "image" ? "image/png" : "application/pdf");
  return type === "image/jpg" ? "image/jpeg" : type;
}

const types: Record<string, string> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  gif: "image/gif",
  heic: "image/heic",
  pdf: "application/pdf",
  txt: "text/plain",
  mp4: "video/mp4",
};

/** Vertex wants the type of what it fetches to be told. */
const typeOfName = (uri: string): string | undefined =>
  types[/\.([a-z0-9]+)(?:[?#]|$)/i.exec(uri.slice(-200))?.[1]?.toLowerCase() ?? ""];

function encodeAudio({ data, format, transcript }: Audio, dropped: Set<string>): Fields | undefined {
  if (data !== undefined) {
    if (transcript !== undefined) dropped.add("messages.audio.transcript");
    return { inlineData: { mimeType: `audio/${format ?? "wav"}`, data } };
  }
  // Speech that another vendor still holds: its words remain.
  dropped.add("messages.audio");
  return transcript === undefined || transcript === "" ? undefined : { text: transcript };
}
