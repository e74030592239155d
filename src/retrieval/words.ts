/** Text as the words that ranking compares: lower case, without accents, without grammar words, cut to English stems. */

// Grammar, politeness and question words: in a question they say nothing about its subject.
const stopWords = new Set(
  `a about above after again against all also am an and any anybody anyone are as at be because been before being below
  between both but by can cannot could did do does doing done down during each either every few for from further get
  gets give go goes good got had has have having he hello help her here hers hey hi him his how however i if in into is
  it its itself just kindly know let like long made make many may me might mine more morning most much must my need no nor
  not now of off often on once one only onto or other ought our ours out over own per please quickly said same say she
  should so some somebody someone still such take taken takes taking tell than thank thanks that the their theirs them then there these they
  thing this those through to too under until up upon us use used very want was way we well were what when where which
  while who whom whose why will with within without would yes yet you your yours afternoon evening day`.split(/\s+/),
);

const wordPattern = /[\p{L}\p{N}]+(?:[.,:'’][\p{L}\p{N}]+)*/gu;
/** Several times the longest passage; what is cut is the tail of a question of megabytes. */
const maxLength = 8_000;

/** Stems in order of appearance, with repeats. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [found] of text.slice(0, maxLength).matchAll(wordPattern)) {
    const stem = stemOf(found);
    if (stem !== undefined) words.push(stem);
  }
  return words;
}

function stemOf(found: string): string | undefined {
  const word = found
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/['’]s$/, "")
    .replace(/['’]/g, "");
  if (stopWords.has(word)) return undefined;
  // 1,000 and 1000 are the same amount; 1,5 stays as it is.
  if (/^\p{N}/u.test(word)) return word.replace(/,(?=\p{N}{3}(?:\D|$))/gu, "");
  return word.length < 2 ? undefined : englishStem(word);
}

const hasVowel = (word: string) => /[aeiouy]/.test(word);

/** Plurals, -ed, -ing, -ly and the commonest nouns made of verbs: the first steps of Porter's stemmer (1980), no more. */
function englishStem(word: string): string {
  if (!/^[a-z]{4,}$/.test(word)) return word;
  let stem = word.replace(/sses$/, "ss").replace(/ies$/, "y");
  if (stem.endsWith("s") && !/(ss|us|is)$/.test(stem)) stem = stem.slice(0, -1);
  for (const ending of ["ing", "ed", "ly"]) {
    if (!stem.endsWith(ending)) continue;
    const base = stem.slice(0, -ending.length);
    if (base.length < 3 || !hasVowel(base)) break;
    stem = ending !== "ly" && /([bdgmnprt])\1$/.test(base) ? base.slice(0, -1) : base;
    break;
  }
  stem = stem.replace(/(?<=.{4})(ment|ation|ion|al|er|ance|ence|able)$/, "");
  return stem.replace(/(?<=.{3})[ei]$/, "").replace(/(?<=.{2})y$/, "i");
}
