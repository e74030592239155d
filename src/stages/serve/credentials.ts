/** How a call shows its key to the vendor: as a header, as a signature over the request, or as a token got for it. */
import type { Clock } from "../../kernel/clock.ts";
import type { Signal } from "../../kernel/signal.ts";
import type { VendorKey, VendorTarget } from "../../kernel/snapshot.ts";
import { type SignedRequest, parseAwsKey, signAws } from "./credentials-aws.ts";
import { googleToken } from "./credentials-google.ts";
import { type Upstream, UpstreamFault } from "./upstream.ts";

type Headers = Record<string, string>;

export interface CredentialPorts {
  clock: Clock;
  upstream: Upstream;
  signal: Signal;
}

const none: Headers = Object.freeze({});

/**
 * Headers to add to the request; at once but where a token must be fetched first. Throws or rejects with an
 * UpstreamFault, `credentials_failed` where the key can't be used.
 */
export function credentialsFor(
  vendor: VendorTarget,
  key: VendorKey | undefined,
  request: SignedRequest,
  ports: CredentialPorts,
): Headers | Promise<Headers> {
  const { auth } = vendor;
  if (key === undefined) return none;
  switch (auth.type) {
    case "none":
      return none;
    case "bearer":
      return bearer(key.secret);
    case "header":
      return { [auth.name]: key.secret };
    case "aws-sigv4": {
      const aws = parseAwsKey(key.secret);
      if (aws) return signAws(request, auth, aws, ports.clock.now());
      const cause = new Error(`key ${key.id} is not ACCESS_KEY_ID:SECRET[:SESSION_TOKEN]`);
      throw new UpstreamFault("credentials_failed", { cause });
    }
    case "google-service-account": {
      const token = googleToken(key, { ...ports, timeouts: vendor.timeouts });
      return typeof token === "string" ? bearer(token) : token.then(bearer);
    }
  }
}

const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });
