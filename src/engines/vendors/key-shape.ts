import type { VendorAuth } from "../../kernel/snapshot.ts";

const awsKey = /^[A-Za-z0-9]+:[^\s:]+(:[^\s:]+)?$/;
/** What a header can carry. */
const printable = /^[\x20-\x7e]+$/;

/** What is wrong with a key that is to be shown in this way, in words that hold nothing of it. */
export function keyProblem({ type }: VendorAuth, secret: string): string | undefined {
  switch (type) {
    case "none":
      return undefined;
    case "bearer":
    case "header":
      return printable.test(secret) ? undefined : "holds characters that no header can carry, such as a line break";
    case "aws-sigv4":
      return awsKey.test(secret) ? undefined : "is not ACCESS_KEY_ID:SECRET_ACCESS_KEY, or with :SESSION_TOKEN behind";
    case "google-service-account":
      return isServiceAccount(secret) ? undefined : "is not the JSON of a service account with its private_key";
  }
}

function isServiceAccount(text: string): boolean {
  try {
    const account = JSON.parse(text) as Record<string, unknown> | null;
    return typeof account?.["client_email"] === "string" && /PRIVATE KEY/.test(String(account["private_key"]));
  } catch {
    return false;
  }
}
