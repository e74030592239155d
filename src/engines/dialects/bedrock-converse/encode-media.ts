/** Images and documents: Converse takes bytes and S3 addresses, and wants names that it likes. */
import type { Fields } from "../body-reader.ts";
import type { Encoding, Part } from "./encode-message.ts";
import { documentFormatOf, imageFormatOf } from "./words.ts";

export function encodeImage(image: Part<"image">, { dropped }: Encoding): Fields | undefined {
  const format = image.url === undefined ? imageFormatOf(image.media_type) : imageFormatIn(image);
  const source = sourceOf(image);
  if (source === undefined || format === undefined) {
    dropped.add("messages.image");
    return undefined;
  }
  if (image.detail !== undefined && image.detail !== "auto") dropped.add("messages.image.detail");
  return { image: { format, source } };
}

/** Converse fetches nothing from the web. */
function sourceOf({ url, data }: { url?: string; data?: string }): Fields | undefined {
  if (url?.startsWith("s3://") === true) return { s3Location: { uri: url } };
  return data === undefined ? undefined : { bytes: data };
}

const imageFormatIn = ({ url = "", media_type }: Part<"image">): string | undefined =>
  imageFormatOf(media_type ?? `image/${/\.([a-z]+)$/i.exec(url)?.[1]?.toLowerCase() ?? ""}`);

export function encodeFile(file: Part<"file">, { dropped, names }: Encoding): Fields | undefined {
  const format = documentFormatOf(file.media_type);
  const source = sourceOf(file);
  if (source === undefined || format === undefined) {
    dropped.add("messages.file");
    return undefined;
  }
  return { document: { format, name: freeName(file.name, names), source } };
}

const longestName = 180;

/** Letters, digits, single spaces, hyphens, parentheses and brackets; a name that is taken gets a number. */
function freeName(wanted: string | undefined, names: Set<string>): string {
  const allowed = (wanted ?? "").replace(/\.[A-Za-z0-9]{1,5}$/, "").replaceAll(/[^A-Za-z0-9()[\]-]+/g, " ");
  const name = allowed.trim().slice(0, longestName).trim() || "document";
  let free = name;
  for (let count = 2; names.has(free); count++) free = `${name} (${count})`;
  names.add(free);
  return free;
}
