/** The bank with further use cases, each of which says no for one reason; and keys that are no good. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { heldOutApplicants } from "../../src/cli/applicants.ts";
import { KeyAdmin } from "../../src/stages/identify/index.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { isRefusal } from "../../src/kernel/errors.ts";
import { type TestHouse, bankExample, startHouse } from "../fixtures/house.ts";

/** Stands for something personal: what a client sends as a value must not come back in an error, a log line or a metric. */
export const marker = "MARTHA-4711-MUSTERFRAU";
export const decisionId = /^dec_[0-9a-hjkmnp-tv-z]{26}$/;
export const applicant = heldOutApplicants(bankExample)[0]!.body;

const bank = readFileSync(join(bankExample, "weir.yaml"), "utf8");
const consents = readFileSync(join(bankExample, "consents.yaml"), "utf8");

const scoreUse = `
    kind: score
    risk: limited
    data_class: personal
    input: schemas/applicant.yaml
    ladder: [baseline]
    decide: [{ result: approve }]`;
const chatUse = `
    kind: chat
    risk: limited
    ladder: [{ template: ok }]`;

const useCases = `
  two-purposes:${scoreUse}
    purpose: [credit-check, marketing]
  once:${scoreUse}
    limits: { requests_per_minute: 1 }
  few-tokens:${chatUse}
    durability: sealed
    limits: { tokens_per_minute: 2000 }
  one-at-once:${scoreUse}
    durability: sealed
    limits: { concurrency: 1 }
  branches-only:${scoreUse}
    when: '"branch" in principal.groups'
  elsewhere:${scoreUse}
    tenants: [otherbank]
  careful:${chatUse}
    screen: [no-cards]
  talkative:
    kind: chat
    risk: limited
    ground: { folder: ./addresses }
    ladder: [extractive]
    check: [no-mail]
  nowhere:
    kind: chat
    risk: limited
    ladder: [overseas]
  costly:
    kind: chat
    risk: limited
    tenants: [poorbank]
    ladder: [dear]
`;
const more = `
vendors:
  overseas: { dialect: openai, base_url: "http://127.0.0.1:9/v1", region: us }
  dear: { dialect: openai, base_url: "http://127.0.0.1:9/v1", region: eu }
guards:
  no-cards: { detect: [card], action: block }
  no-mail: { detect: [email], action: block }
`;

export function files(): Record<string, string> {
  const text = bank
    .replace(
      "residency: [eu, onprem]",
      "residency: [eu, onprem]\n  otherbank: {}\n  poorbank: { budget: { usd: 0.000001, per: month, at_limit: block } }",
    )
    .replace(
      "models:",
      "models:\n  overseas: { vendor: overseas, model: m, price: free, max_output: 100 }\n  dear: { vendor: dear, model: m, max_output: 1000, price: { input: 10, output: 30 } }",
    );
  return {
    "addresses/branch.md":
      "# Branch\n\nWrite to the branch in Lindau at jane.doe@example.com and ask for an appointment.\n",
    "weir.yaml": `${text.trimEnd()}\n${useCases}${more}`,
    "consents.yaml": `${consents.trimEnd()}
  - { reference: ended, tenant: lindenbank, purposes: [credit-check], from: 2020-01-01, until: 2021-01-01 }
  - { reference: for-marketing, tenant: lindenbank, purposes: [marketing], from: 2026-01-01, until: 2028-01-01 }
  - { reference: of-another, tenant: lindenbank, subject: somebody-else, purposes: [credit-check], from: 2026-01-01, until: 2028-01-01 }
  - { reference: otherbanks, tenant: otherbank, purposes: [credit-check], from: 2026-01-01, until: 2028-01-01 }
`,
  };
}

export interface Keys {
  good: string;
  /** Only the use case `once`. */
  narrow: string;
  /** May only state the purpose `marketing`. */
  marketing: string;
  poor: string;
  expired: string;
  revoked: string;
  ofProd: string;
  /** Well-formed, of an id that nobody has. */
  unknown: string;
  /** A real id under another secret, its checksum right. */
  wrongSecret: string;
  /** One character lost in copying. */
  torn: string;
}

export async function startBadHouse(consoleDir?: string): Promise<{ house: TestHouse; keys: Keys }> {
  const house = await startHouse({ files: files(), ...(consoleDir !== undefined && { consoleDir }) });
  const good = house.mintKey();
  const revoked = house.mintKey();
  const revoking = house.admin.keys.revoke(idOf(revoked), "test");
  if (isRefusal(revoking)) throw new Error(revoking.message);
  revoking.commit();
  const { control, pepper, directory } = house.house;
  const prod = new KeyAdmin({ keys: control.keys, clock: systemClock, pepper, environment: "prod" });
  const ofProd = prod
    .mint({ label: "prod", tenant: "lindenbank", principal: { type: "service", id: "prod" }, use_cases: ["*"] })
    .commit().key;
  const keys = {
    good,
    narrow: house.mintKey({ use_cases: ["once"] }),
    marketing: house.mintKey({ purposes: ["marketing"] }),
    poor: house.mintKey({ tenant: "poorbank" }),
    expired: house.mintKey({ expires_in_days: -1 }),
    revoked,
    ofProd,
    unknown: withSecret(good, "000000000000", "0".repeat(32)),
    wrongSecret: withSecret(good, idOf(good), "0".repeat(32)),
    torn: good.slice(0, -1),
  };
  directory.refresh();
  return { house, keys };
}

const idOf = (key: string): string => key.split("_")[2]!;

function withSecret(key: string, id: string, secret: string): string {
  const body = `wr_${key.split("_")[1]}_${id}_${secret}`;
  return `${body}_${crc32(body).toString(16).padStart(8, "0")}`;
}
