/**
 * Decides where a text holds payment cards, bank accounts, e-mail addresses, telephone numbers, national identifiers,
 * card security codes and credentials: by checksum where one exists, else by published form and a word nearby.
 * Never decides what to do about it (screen and check do), never looks for names or addresses of people, never keeps,
 * logs or sends the text.
 */
export { redact, scan } from "./scan.ts";
export { openScan } from "./open-scan.ts";
export { type DetectorName, type Finding, detectorOrder as detectorNames } from "./port.ts";
