/** Phrases that are hard to read for people whose first language is not English, and what to write instead. Pure. */

/** Phrase → what to write instead. This file is the only one that may contain the phrases. */
export const phrases: Readonly<Record<string, string>> = {
  'one a line': 'one per line',
  mend: 'fix or repair',
  mends: 'fixes or repairs',
  mended: 'fixed or repaired',
  'goes before': 'takes precedence over',
  'is an answer': 'what follows from it',
  'unless told': 'the default',
  'given up on': 'aborted',
  'in the place of': 'instead of',
  'hangs on': 'depends on',
  'hold to it': 'work with it',
  'holds to it': 'works with it',
  'has no say': 'does not apply',
  'without a word': 'silently',
  'as it stands': 'unchanged',
  'where it has none': 'if it has none',
  lest: 'so that … not',
  journey: 'data flow',
};

/** In a text, line ends and the marks of comments and quotes may separate the words of a phrase. */
const patterns = Object.entries(phrases).map(([phrase, instead]) => {
  const words = phrase.split(' ').join(String.raw`\s+(?:(?:\*|//|#|>)\s+)?`);
  return { phrase, instead, pattern: new RegExp(`\\b${words}\\b`, 'gi') };
});

/**
 * @param files path → text
 * @returns a line for each phrase that was found, in the order of the files
 */
export function wordingProblems(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([path, text]) =>
    patterns
      .flatMap(({ phrase, instead, pattern }) =>
        [...text.matchAll(pattern)].map(({ index }) => ({
          line: text.slice(0, index).split('\n').length,
          says: `"${phrase}" is not plain English: write ${instead}`,
        })),
      )
      .sort((a, b) => a.line - b.line)
      .map(({ line, says }) => `${path}:${line}: ${says}`),
  );
}
