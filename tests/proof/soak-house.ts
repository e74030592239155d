/** The configuration that is soaked: several dialects, retries, a cache, guards, rules; all vendors at one scripted origin. */
const patient = "health: { failures: 1000000, failure_rate: 1, retry_share: 1 }";

export const soakConfiguration = (vendorPort: number): string => `weir: 1
server: { port: 0, ops_port: 0, console: false, environment: prod }
ledger: { checkpoints: [{ file: ../checkpoints }] }
consents: consents.yaml
tenants:
  lindenbank:
    budget: { usd: 1000000, per: month, at_limit: block }
    residency: [eu, onprem]
    limits: &limits { requests_per_minute: 1000000000, tokens_per_minute: 1000000000, concurrency: 100000 }
vendors:
  oa: { dialect: openai, base_url: "http://127.0.0.1:${vendorPort}/v1", region: eu, data_class: sensitive, ${patient} }
  ob: { dialect: openai, base_url: "http://127.0.0.1:${vendorPort}/second/v1", region: eu, data_class: sensitive, ${patient} }
  an: { dialect: anthropic, base_url: "http://127.0.0.1:${vendorPort}", region: eu, data_class: sensitive, ${patient} }
models:
  oa-main: { vendor: oa, model: gpt-vendor, price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 1000 }
  ob-main: { vendor: ob, model: gpt-second, price: free }
  an-main: { vendor: an, model: claude-vendor, price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 1000 }
  baseline: { runtime: rules, file: rules/credit.yaml, card: cards/credit-baseline.md }
guards:
  cards: { detect: [card, iban], action: block }
  personal: { detect: [card, iban, email], action: redact }
use_cases:
  plain: { kind: chat, risk: minimal, data_class: internal, limits: *limits, ladder: [oa-main, ob-main], retries: 0 }
  cross: { kind: chat, risk: limited, data_class: internal, limits: *limits, ladder: [an-main, ob-main], retries: 1 }
  retried: { kind: chat, risk: minimal, data_class: internal, limits: *limits, ladder: [oa-main], retries: 2 }
  guarded: { kind: chat, risk: limited, data_class: internal, limits: *limits, screen: [personal], check: [cards], ladder: [oa-main, ob-main] }
  cached: { kind: chat, risk: minimal, data_class: internal, limits: *limits, ladder: [oa-main], cache: { exact: 10m } }
  credit:
    kind: score
    risk: high
    data_class: personal
    limits: *limits
    purpose: credit-check
    basis: Art. 6(1)(b) GDPR, steps before a contract
    consent: required
    input: schemas/applicant.yaml
    ladder: [baseline, { refer: underwriters }]
    decide: [{ when: score >= 0.7, result: approve }, { result: refer, to: underwriters }]
`;
