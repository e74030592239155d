/**
 * Which test shows which case: the thirty hard cases of LLM gateways, and the twelve acceptance cases that users' pains
 * gave (A1–A12). `index.test.ts` holds that every case is here and every test named here exists.
 */
export interface Shown {
  /** From the repository's root. */
  file: string;
  /** Part of the title of a test, or of a group of them, as it stands in the file. */
  title: string;
  /** Where the whole proof is longer than a test: a script of package.json. */
  script?: string;
}

export interface Case {
  title: string;
  tests: readonly Shown[];
  /** What of it is shown elsewhere or later, and where. */
  deferred?: string;
}

const here = (name: string, ...titles: string[]): Shown[] =>
  titles.map((title) => ({ file: `tests/conformance/hard-cases/${name}.test.ts`, title }));
const test = (file: string, ...titles: string[]): Shown[] =>
  titles.map((title) => ({ file: `${file}.test.ts`, title }));

const wire = (name: string, ...titles: string[]): Shown[] =>
  titles.map((title) => ({ file: `tests/conformance/dialects/${name}.test.ts`, title }));
const pure = (...titles: string[]): Shown[] => test("src/engines/dialects/hard-cases", ...titles);

const scaleOut = "scale-out issue";

export const cases: Readonly<Record<string, Case>> = {
  1: {
    title: "bytes split anywhere, every framing, comments and fields that say nothing",
    tests: [
      ...here("streams", "cut at every byte, to clients of either dialect", "one byte at a time: the official clients"),
      ...here("other-dialects", "case 1: cut at every byte, it says the same"),
      ...test("src/engines/dialects/sse", "openSseDecoder"),
      ...test("src/stages/serve/vendor", "any chunking of the bytes gives the same bytes and events"),
    ],
  },
  2: {
    title: "data over several lines, one event of 1 MB, 10,000 events at once",
    tests: here("streams", "case 1: bytes however they are cut", "one event of 1 MB", "10,000 events at once"),
  },
  3: {
    title: "include_usage asked and not asked",
    tests: [
      ...here("usage", "asked: one last chunk without choices; not asked: none"),
      ...test("src/engines/dialects/hard-cases", "3: stream_options.include_usage"),
      ...test("tests/e2e/openai-sdk", "streams without usage where it was not asked for"),
    ],
  },
  4: {
    title: "usage wherever the vendor puts it, or nowhere, or zero",
    tests: [
      ...here("usage", "case 4: usage, wherever the vendor puts it", ": estimated, and flagged"),
      ...test("src/engines/dialects/hard-cases", "4: usage, wherever and however it comes"),
    ],
  },
  5: {
    title: "tool calls: at once, letter by letter, without arguments, without an id later on",
    tests: [...wire("tool-calls", "case 5: tool call deltas, to %s"), ...pure("5: tool call deltas")],
  },
  6: {
    title: "three parallel calls, interleaved, after a text",
    tests: [
      ...wire(
        "tool-calls",
        "case 6: three parallel calls, interleaved, after a text",
        "are Anthropic's blocks from 0 on, each whole before the next begins",
        "are numbered from 0 for OpenAI's clients, whatever stood before them at an Anthropic vendor",
      ),
      ...wire("sdk-matrix", "%s: parallel tool calls keep ids, names and arguments"),
      ...pure("6: three parallel calls, interleaved, after a text"),
    ],
  },
  7: {
    title: "a Responses vendor that says it only when it is done; events that nobody knows",
    tests: [
      ...wire(
        "tool-calls",
        "case 7: a Responses vendor that says it only when it is done",
        "%s: a client of its own dialect gets it byte for byte",
      ),
      ...pure("7: events that come whole, and events that nobody knows"),
    ],
  },
  8: {
    title: "why an answer ended, in each dialect's words",
    tests: [
      ...wire(
        "finish",
        "case 8: a stop sequence",
        "case 8: a turn that its vendor paused",
        "case 8: a refusal in words",
        "case 8: a finish that nobody knows",
      ),
      ...wire("sdk-matrix", "%s: an answer that was cut says so", "%s: an answer that was filtered says so"),
      ...pure("8: why an answer ended"),
    ],
  },
  9: {
    title: "an error as the first event after 200",
    tests: [
      ...here("usage", "case 9: after 200 and metadata alone, the next rung answers unseen"),
      ...here("other-dialects", "case 9: an error before any content is not seen by the client"),
      ...test("tests/conformance/resilience", "case 9: an error as the first event of a stream"),
    ],
  },
  10: {
    title: "an error in the middle of a stream",
    tests: [
      ...here("usage", "case 10: after content, an error in the client's dialect"),
      ...here("other-dialects", "case 10: an error after content is one in the client's dialect"),
      ...test("tests/faults/vendor-faults", "ends the stream with an error event and takes no further rung"),
    ],
  },
  11: {
    title: "a reset in the middle of a stream is never a clean end",
    tests: [
      ...here(
        "broken-streams",
        "an error, never an end",
        "the official clients throw, with what came before in their hands",
        "Responses and completions clients are told too",
      ),
      ...here("other-dialects", "case 11: reset %s is an error, never an end"),
    ],
  },
  12: {
    title: "an end without the dialect's terminator",
    tests: [
      ...here(
        "broken-streams",
        "case 12: a vendor that ends without its terminator",
        "Responses and completions clients are told too",
      ),
      ...here("other-dialects", "case 12: ending %s is an error, never an end"),
    ],
  },
  13: {
    title: "the client goes: before headers, between chunks, while a guard holds, in back-off",
    tests: [
      ...here(
        "disconnects",
        "the vendor is hung up on, no rung follows, the use is estimated",
        "no further call, and nobody sleeps on",
        "while a guard holds back what it has not read to its end",
        "the official clients' own abort does the same",
      ),
      ...test("tests/faults/vendor-disk", "a client that goes while its begun entry waits for the disk"),
    ],
  },
  14: {
    title: "a slow reader holds back its own vendor only",
    tests: [
      ...here("slow-reader", "holds its vendor back, others go on, and then it gets everything"),
      ...test("src/stages/serve/upstream", "a reader who stops stops the vendor"),
      ...test("tests/faults/vendor-odd-answers", "holds the vendor back, and is given up at the deadline"),
    ],
  },
  15: {
    title: "429 with Retry-After in all its forms, none, or an absurd one",
    tests: [
      ...test(
        "tests/conformance/resilience",
        "is waited for as %s says, with jitter",
        "without a word of when: jitter alone",
        "an absurd hour: the next target is tried at once",
        "of one key: the other one is used at once",
      ),
      ...here("retries", "case 15: 429 before a stream"),
      ...test("src/stages/serve/retry", "retryAfterOf", "spreads: two clients that failed together"),
    ],
  },
  16: {
    title: "401, 402, 403 of one key or of all",
    tests: [
      ...test(
        "tests/conformance/resilience",
        "%s: the next key, in the same request, without a wait; told once",
        "all of them: 502 with a code of its own, never the vendor's 401",
      ),
      ...here("retries", "case 16: a key that dies"),
      ...test("src/telemetry/alerts/rules", "the house"),
    ],
  },
  17: {
    title: "failures that a retry may mend; connect, DNS, TLS; both attempts in the ledger",
    tests: [
      ...test(
        "tests/conformance/resilience",
        "%s: tried again, and both attempts are booked",
        "where %s nothing was sent, so nothing is booked",
        "where it speaks no TLS the next rung answers",
      ),
      ...here("retries", "case 17: both attempts are in the ledger", "a certificate that nobody vouches for"),
      ...test("tests/faults/vendor-idempotency", "gets the same answer and no second vendor call"),
    ],
  },
  18: {
    title: "first byte, first token, idle, total, and a rate below the floor",
    tests: [
      ...here(
        "timeouts",
        "%s: %s after %i s, and the next rung answers",
        "told as an error",
        "of a whole answer: %s after",
      ),
      ...test("src/stages/serve/upstream", "upstream: three waits", "upstream: the whole attempt and its rate"),
    ],
  },
  19: {
    title: "a million tokens, 20 MB of image, packed and chunked bodies, Expect, and what is too large",
    tests: [
      ...wire("large-bodies", "case 19: large requests", "case 19: how a body comes", "case 19: what is too large"),
      ...test("src/surfaces/gateway/request", "readBody"),
    ],
  },
  20: {
    title: "OpenAI's clients of an Anthropic vendor",
    tests: [
      ...wire("conversations", "case 20: an OpenAI client of an Anthropic vendor"),
      ...pure("20: OpenAI's clients, Anthropic's vendor"),
    ],
  },
  21: {
    title: "Anthropic's clients of other vendors: thoughts, marks, server tools, failed tools, counts",
    tests: [
      ...wire("conversations", "case 21: an Anthropic client of other vendors"),
      ...pure("21: Anthropic's clients, OpenAI's vendor"),
      ...test("tests/e2e/anthropic-sdk", "counts tokens before anything is sent, without asking a vendor"),
    ],
  },
  22: {
    title: "structured answers: schemas that refer to themselves, refusals, JSON while it is written",
    tests: [
      ...wire("contents", "case 22: structured answers"),
      ...wire("sdk-matrix", "structured answers parse, %s, and the schema reaches the vendor"),
      ...wire("finish", "case 8: a refusal in words"),
      ...pure("22: structured output"),
    ],
  },
  23: {
    title: "images, documents and audio; addresses are never fetched",
    tests: [
      ...wire(
        "contents",
        "case 23: images, documents and audio",
        "addresses of images are never fetched here, whoever they point to",
      ),
      ...pure("23: images, documents, audio"),
    ],
  },
  24: {
    title: "log probabilities, several answers, seeds, biases, tiers: passed or named",
    tests: [
      ...wire("contents", "case 24: several answers, log probabilities"),
      ...wire("translation-loss", "a wish that a vendor's dialect has no word for"),
      ...pure("24: logprobs, several answers, seed, biases, tiers"),
    ],
  },
  25: {
    title: "reasoning: asked for in each vendor's measure, counted once, seals kept to their own",
    tests: [
      ...wire(
        "conversations",
        "case 25: thoughts and their seals",
        "an effort is told to %s in its own measure",
        "sealed thoughts of one vendor never go to another",
      ),
      ...pure("25: reasoning"),
    ],
  },
  26: {
    title: "cached tokens, inclusive and exclusive, cliffs, classes, uplifts",
    tests: [
      {
        file: "tests/conformance/money/books.test.ts",
        title: "are booked to the nano-dollar as the vendor's invoice says, wherever it reported its usage",
      },
      ...wire("sdk-matrix", "%s: words, usage, finish, and nothing lost"),
      ...pure("26: cached tokens"),
    ],
  },
  27: {
    title: "new fields, events, betas and numbers pass unharmed, or are named",
    tests: [
      ...wire(
        "contents",
        "case 27: what nobody here knows",
        "64-bit numbers in the arguments of calls reach %s digit for digit",
        "betas that a vendor doesn't know stay here, those that it knows go there",
      ),
      ...pure("27: what nobody here knows"),
      ...test("tests/e2e/openai-sdk", "hands the vendor's events over byte for byte"),
    ],
  },
  28: {
    title: "the edge of a budget: concurrency, crash, rollover, new price, no price",
    tests: [
      ...here(
        "budgets",
        "fifty streams at once: exactly those that fit are begun",
        "a stream over midnight is yesterday's money",
        "a model without a price is served when everything is spent",
        "what runs is settled at the price it began with",
        "the next process settles it, flagged, and nothing stays held",
        "the call under way is an attempt of its own",
      ),
      ...test("tests/faults/budget-race", "many calls at once on a budget with room for seven"),
      ...test("src/stages/reserve/money-laws", "takes a hold exactly where every budget can bear it"),
    ],
    deferred: `three replicas: ${scaleOut}`,
  },
  29: {
    title: "streaming guards: split secrets, arguments, reasoning, partial delivery, failing guards",
    tests: [
      ...here(
        "guards",
        "cut anywhere: blocked before a digit has left",
        "cut anywhere: redacted, and all else is there",
        "words that came long before have left before the card is written",
      ),
      ...here("guard-seams", "case 29 and A8: a card at a seam"),
      ...test("src/stages/check/stream-guard", "guards that fail", "too slow: %s"),
    ],
  },
  30: {
    title: "what is the same question, what is given again, and conversations that a vendor keeps",
    tests: [
      ...here(
        "cache",
        "everything else is not, each by itself",
        "a replayed stream is what the live one was",
        "is never kept",
      ),
      ...here("conversations", "case 30: previous_response_id"),
      ...test("src/stages/recall/exact-cache", "miss when this differs: %s", "names can't be moved between fields"),
    ],
    deferred: "an answer that another vendor keeps is passed to its owner or refused; Weir keeps none itself",
  },
  A1: {
    title: "exactly one ledger row per attempt, whatever ends it",
    tests: [
      ...test(
        "tests/faults/parity",
        "every call that a vendor saw is one recorded attempt",
        "the load met every kind of end",
        "each attempt's usage and cost is in its decision",
      ),
      ...here("disconnects", "the vendor is hung up on, no rung follows, the use is estimated"),
      ...here("budgets", "the call under way is an attempt of its own"),
    ],
  },
  A2: {
    title: "N at once on a budget with room for k: exactly k",
    tests: [
      ...test("tests/faults/budget-race", "many calls at once on a budget with room for seven"),
      ...here("budgets", "fifty streams at once: exactly those that fit are begun"),
      ...test(
        "src/stages/reserve/money-book",
        "the hold of an owner that vanished is freed when its lease has run out",
      ),
    ],
    deferred: `three replicas, and one that is killed: ${scaleOut}`,
  },
  A3: {
    title: "shared stores stopped, slow, or absent at boot",
    tests: [],
    deferred: `there is no shared store yet: ${scaleOut}`,
  },
  A4: {
    title: "a soak with aborts: memory stays flat",
    tests: [
      {
        file: "tests/proof/soak.test.ts",
        title: "leaves the books even and nothing held, running or open",
        script: "proof",
      },
      { file: "tests/proof/soak.test.ts", title: "the memory's trend", script: "proof" },
    ],
  },
  A5: {
    title: "price goldens per vendor, with every meter",
    tests: [
      ...test("src/config/price-goldens", "goldens from the price book", "goldens of own prices"),
      ...test("src/config/price-oracle", "is equal to the nano-USD on 10,000 usages under 200 prices"),
    ],
  },
  A6: {
    title: "translations both ways, streaming and not",
    tests: [
      ...wire(
        "sdk-matrix",
        "%s over %s",
        "the client's tool runner, %s: results go back to the calls that asked",
        "a stream that ends in %s is never an answer",
      ),
      ...wire("translation-loss", "a wish that a vendor's dialect has no word for", "what can't be had"),
      ...wire("wire-coverage", "%s is read by a test that names it"),
      ...test("src/engines/dialects/round-trip", "from one dialect to the other"),
    ],
  },
  A7: {
    title: "an abort reaches the vendor within 100 ms, whole and streaming, on every surface",
    tests: here(
      "disconnects",
      "the vendor hears of it within 100 ms, whole and streaming",
      "before headers and in the body: the same, and within 100 ms",
    ),
  },
  A8: {
    title: "a guard blocks text and arguments on every surface, and the record says what was delivered",
    tests: [
      ...here("guards", "cut anywhere: blocked before a digit has left", "and the record counts them"),
      ...test("tests/faults/vendor-guarded-streams", "blocks a card in the arguments of a call"),
    ],
  },
  A9: {
    title: "a cache never crosses tenant, rights, prompt, tools or data class",
    tests: [
      ...here("cache", "everything else is not, each by itself"),
      ...test("src/stages/recall/exact-cache", "miss when this differs: %s"),
    ],
  },
  A10: {
    title: "a console over many rows is quick and can't slow the data path",
    tests: [
      ...here("console-load", "within a second, and this thread is never kept", "is found by an index of its own"),
      ...test("tests/faults/disk", "serves requests all the same, and the projection catches up afterwards"),
    ],
  },
  A11: {
    title: "a first boot can't be claimed, and logs never hold credentials",
    tests: [
      ...test("tests/e2e/production-start", "prints no key, no token, no link", "has minted nothing and knows nobody"),
      ...test("tests/conformance/resilience", "no record, log or metric ever holds a key"),
      ...test("tests/conformance/bad-input", "nothing personal and no key in any file of the data directory"),
      ...test("src/telemetry/log", "redaction"),
    ],
  },
  A12: {
    title: "new price or model data never changes who may call",
    tests: [
      ...here("budgets", "A12: a new price opens and closes nothing"),
      ...test("src/config/compile-price", "so that a newer book changes nothing that was applied"),
    ],
  },
};
