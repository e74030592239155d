import type { MediaPart } from "../../kernel/chat.ts";

type Image = Extract<MediaPart, { type: "image" }>;

const base64Url = /^data:([^;,]+)(?:;[^;,]+)*;base64,/;

/** Undefined for every other kind of URL. */
export function splitDataUrl(url: string): { media_type: string; data: string } | undefined {
  // The pattern is tried on the head alone: the data may be megabytes.
  const match = base64Url.exec(url.slice(0, 200));
  return match === null ? undefined : { media_type: match[1]!, data: url.slice(match[0].length) };
}

/** A data: URL with base64 becomes its media type and data; any other URL stays a URL. */
export function imageFromUrl(url: string): Image {
  const split = splitDataUrl(url);
  return split === undefined ? { type: "image", url } : { type: "image", ...split };
}

export const imageToUrl = (image: Image): string =>
  image.url ?? `data:${image.media_type ?? "image/png"};base64,${image.data ?? ""}`;
