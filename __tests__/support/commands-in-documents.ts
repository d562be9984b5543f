/** The shell commands that the documents tell their readers to type. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(dirname(import.meta.dirname));

export interface ShellBlock {
  /** `docs/ec2.md` */
  readonly document: string;
  /** The text of the block. */
  readonly text: string;
  /** Its commands, each on one line, without comments. */
  readonly commands: readonly string[];
}

/** Documents for users and developers, without those of the tests. */
export const documents: readonly string[] = execFileSync('git', ['ls-files', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((path) => !path.startsWith('__tests__/'));

/** All blocks that are marked as `sh`, in the order of the documents. */
export const shellBlocks: readonly ShellBlock[] = documents.flatMap((document) => {
  const markdown = readFileSync(join(root, document), 'utf8');
  return [...markdown.matchAll(/^( *)```sh\n(.*?)^\1```$/gms)].map(([, indentation = '', body = '']) => {
    const text = body.replaceAll(new RegExp(`^${indentation}`, 'gm'), '');
    return { document, text, commands: commandsOf(text) };
  });
});

function commandsOf(text: string): string[] {
  return text
    .replaceAll(/ *\\\n */g, ' ')
    .replaceAll(/ *\|\n */g, ' | ')
    .split('\n')
    .map((line) => line.replace(/(^| +)#.*$/, '').trim())
    .filter((line) => line !== '');
}
