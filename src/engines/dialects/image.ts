import type { ChatPart } from "../../kernel/chat.ts";

type Image = Extract<ChatPart, { type: "image" }>;

const base64Url = /^data:([^;,]+);base64,/;

/** A data: URL with base64 becomes its media type and data; any other URL stays a URL. */
export function imageFromUrl(url: string): Image {
  // The pattern is tried on the head alone: the data may be megabytes.
  const match = base64Url.exec(url.slice(0, 200));
  if (match === null) return { type: "image", url };
  return { type: "image", media_type: match[1]!, data: url.slice(match[0].length) };
}

export const imageToUrl = (image: Image): string =>
  image.url ?? `data:${image.media_type ?? "image/png"};base64,${image.data ?? ""}`;
