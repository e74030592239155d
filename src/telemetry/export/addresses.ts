/** Which addresses an outbound call may reach: public ones, and private ones only where the host was allowed by name. */
import { BlockList, isIP, isIPv4 } from "node:net";

const notPublic = new BlockList();
for (const [net, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  // Cloud metadata lives here.
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const)
  notPublic.addSubnet(net, prefix, "ipv4");

// All that is routed publicly lies in 2000::/3; parts of it carry other addresses within them, or none.
const globalUnicast = new BlockList();
globalUnicast.addSubnet("2000::", 3, "ipv6");
const carved = new BlockList();
for (const [net, prefix] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const)
  carved.addSubnet(net, prefix, "ipv6");

export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !notPublic.check(address, "ipv4");
  // Zone ids belong to link-local addresses.
  if (isIP(address) !== 6 || address.includes("%")) return false;
  return globalUnicast.check(address, "ipv6") && !carved.check(address, "ipv6");
}

/** Why an address may not be called, in words for a person; undefined where it may. */
export function refusedUrl(url: URL, allowHosts: readonly string[]): string | undefined {
  if (url.protocol !== "https:" && url.protocol !== "http:") return `${url.protocol} is neither http nor https`;
  if (url.username !== "" || url.password !== "") return "credentials may not stand in a URL; send them in a header";
  if (isAllowedHost(url, allowHosts)) return undefined;
  if (url.protocol === "http:") return `${url.host} may be called over https only, unless allow_hosts names it`;
  const address = hostOf(url);
  if (isIP(address) !== 0 && !isPublicAddress(address))
    return `${url.host} is no public address; allow_hosts must name it`;
  return undefined;
}

export const isAllowedHost = (url: URL, allowHosts: readonly string[]): boolean => {
  const withPort = `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
  return allowHosts.includes(url.hostname) || allowHosts.includes(withPort);
};

/** Without the brackets of an IPv6 address. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "");
