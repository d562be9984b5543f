/** Completions and the manual page, generated from the code: `npm run docs` writes them, `npm run check:docs` compares. */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commands } from '../../helper/command-line/program.ts';
import type { shareFiles } from '../../helper/setup/shell-files.ts';
import { bashCompletion, fishCompletion, zshCompletion } from './completions.ts';
import { manPage } from './man-page.ts';

const root = dirname(dirname(import.meta.dirname));
const share = join(root, 'share');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

const changes = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
const [, date] =
  new RegExp(`^## ${version.replaceAll('.', '\\.')} - (\\d{4}-\\d\\d-\\d\\d)$`, 'm').exec(changes) ?? [];
if (date === undefined) throw new Error(`CHANGELOG.md has no heading "## ${version} - DATE"`);

const texts: Readonly<Record<(typeof shareFiles)[number], string>> = {
  'bash-completion/completions/ssm-ssh-agent': bashCompletion(commands),
  'fish/vendor_completions.d/ssm-ssh-agent.fish': fishCompletion(commands),
  'man/man1/ssm-ssh-agent.1': manPage(commands, { version, date }),
  'zsh/site-functions/_ssm-ssh-agent': zshCompletion(commands),
};
const files = new Map<string, string>(Object.entries(texts));
const there = new Map(
  readdirSync(share, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path.slice(share.length + 1), readFileSync(path, 'utf8')]),
);
const differing = [...new Set([...files.keys(), ...there.keys()])].filter(
  (path) => files.get(path) !== there.get(path),
);
for (const path of differing) {
  const text = files.get(path);
  if (process.argv.includes('--check')) {
    console.error(`share/${path} differs from the code: run npm run docs`);
    process.exitCode = 1;
  } else if (text === undefined) {
    rmSync(join(share, path));
  } else {
    mkdirSync(dirname(join(share, path)), { recursive: true });
    writeFileSync(join(share, path), text);
  }
}
