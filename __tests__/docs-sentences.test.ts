/** Documentation is for readers whose first language is not English: its sentences are short. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = dirname(import.meta.dirname);
const mostWords = 30;

const documents = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n');

/** Without what is not prose: code blocks, comments, addresses of links, the lines below a table's head. */
function proseOf(markdown: string): string[] {
  const text = markdown
    .replace(/^( *)```.*?^\1```$/gms, '\n\n')
    .replace(/<!--.*?-->/gs, '')
    .replace(/`[^`]*`/g, 'code')
    .replace(/\[\^[^\]]*\]/g, '')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1');
  return text.split('\n').reduce<string[]>((blocks, line) => {
    const isTable = line.startsWith('|');
    if (isTable) return [...blocks, ...line.split('|'), ''];
    const begins = line.trim() === '' || /^\s*([-*#>]|\d+\.)\s/.test(line);
    if (begins) return [...blocks, line];
    return [...blocks.slice(0, -1), `${blocks.at(-1) ?? ''} ${line}`];
  }, []);
}

function sentencesOf(block: string): string[] {
  return block
    .replace(/[*_]/g, '')
    .split(/(?<=[.?!]["”)]?)\s+/)
    .map((sentence) => sentence.trim());
}

const wordsOf = (sentence: string): number =>
  sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

describe('the sentences of a document', () => {
  it.each([
    ['One. Two words', [1, 2]],
    ['A [link with words](https://example.com/a b) here', [5]],
    ['- item one\n- item\n  two three', [2, 3]],
    ['| a b | c |\n| --- | --- |\n| d e f | `g h` |', [2, 1, 3, 1]],
    ['```sh\nnpm ci and more words\n```\nafter it', [2]],
  ])('of %j have so many words: %j', (markdown, counts) => {
    const counted = proseOf(markdown).flatMap(sentencesOf).map(wordsOf);
    expect(counted.filter((count) => count > 0)).toEqual(counts);
  });

  it.each(documents)('%s has no sentence that is too long', (path) => {
    const sentences = proseOf(readFileSync(join(root, path), 'utf8')).flatMap(sentencesOf);
    expect(sentences.length).toBeGreaterThan(3);
    expect(sentences.filter((sentence) => wordsOf(sentence) > mostWords)).toEqual([]);
  });

  it('leave the README a read of ten minutes: 2,000 words at most', () => {
    const words = readFileSync(join(root, 'README.md'), 'utf8').trim().split(/\s+/);
    expect(words.length).toBeLessThanOrEqual(2_000);
  });
});
