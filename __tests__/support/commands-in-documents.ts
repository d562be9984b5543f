/** The commands that the documents tell their readers to type. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

const root = dirname(dirname(import.meta.dirname));

export interface ShellBlock {
  /** `docs/ec2.md` */
  readonly document: string;
  /** The text of the block. */
  readonly text: string;
  /** Its commands, each on one line, without comments. */
  readonly commands: readonly string[];
}

export interface DocumentedCommand {
  readonly document: string;
  readonly command: string;
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
export const shellBlocks: readonly ShellBlock[] = documents.flatMap((document) =>
  blocksOf(read(document), 'sh').map((text) => ({ document, text, commands: commandsOf(text) })),
);

/** With `sudo` or variables in front. */
const begins =
  /^(sudo )?([A-Z_]+=("[^"]*"|\S*) )*(ssm-ssh|ssm-ssh-agent|git-credential-ssm|aws|git|ssh|gh|npm) /;

/** Code in sentences that only names a command or an option, and one message of ours. Nobody types it like this. */
export const onlyNames: readonly string[] = [
  // Checks of doctor.
  ...['git configuration', 'git ssh command', 'ssh command'],
  ...[
    'aws kms cancel-key-deletion',
    'aws s3 cp',
    'aws ssm get-parameter --with-decryption',
    'ssh -A',
    'ssh -i',
    'ssm-ssh -A',
    'ssm-ssh HOST',
  ],
  ...[
    'git -c',
    'git clone',
    'git config --global',
    'git credential fill',
    'git credential-cache',
    'git ls-remote',
  ],
  ...['git submodule update', 'npm install', 'npm install --global', 'npm pack'],
  ...['ssm-ssh-agent add', 'ssm-ssh-agent exec', 'ssm-ssh-agent setup'],
  'git does not say for which repository',
];

/** Of documents that tell people what to do: CHANGELOG.md and docs/decisions tell what was done. */
export const commandsInProse: readonly DocumentedCommand[] = documents
  .filter((document) => /^(?!CHANGELOG)(docs\/)?[\w-]+\.md$/.test(document))
  .flatMap((document) => wholeCommandsIn(read(document)).map((command) => ({ document, command })));

/** Of blocks of sh, of the steps in blocks of YAML, of code in sentences and in tables; each once for each document. */
export const commandsInDocuments: readonly DocumentedCommand[] = onceEach([
  ...shellBlocks.flatMap(({ document, commands }) => commands.map((command) => ({ document, command }))),
  ...documents.flatMap((document) =>
    blocksOf(read(document), 'yaml')
      .flatMap((text) => scriptsOf(parse(text)).flatMap(commandsOf))
      .map((command) => ({ document, command })),
  ),
  ...commandsInProse,
]);

function read(document: string): string {
  return readFileSync(join(root, document), 'utf8');
}

function blocksOf(markdown: string, language: string): string[] {
  const blocks = markdown.matchAll(new RegExp(`^( *)\`\`\`${language}\\n(.*?)^\\1\`\`\``, 'gms'));
  return [...blocks].map(([, indentation = '', body = '']) =>
    body.replaceAll(new RegExp(`^${indentation}`, 'gm'), ''),
  );
}

function commandsOf(text: string): string[] {
  return text
    .replaceAll(/ *\\\n */g, ' ')
    .replaceAll(/ *\|\n */g, ' | ')
    .split('\n')
    .map((line) => line.replace(/(^| +)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** Of the steps of GitHub Actions, GitLab CI, Buildkite, CircleCI and Bitbucket Pipelines. */
function scriptsOf(yaml: unknown): string[] {
  if (typeof yaml !== 'object' || yaml === null) return [];
  return Object.entries(yaml).flatMap(([name, value]: [string, unknown]) =>
    ['run', 'script', 'command'].includes(name) ? textsIn(value) : scriptsOf(value),
  );
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.flatMap(textsIn) : scriptsOf(value);
}

/** Code outside blocks that is a whole command: nothing in it is left out. */
function wholeCommandsIn(markdown: string): string[] {
  const prose = markdown.replaceAll(/^( *)```.*?^\1```/gms, '');
  const spans = [...prose.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, code = '']) => code);
  return spans.filter((code) => begins.test(code) && !code.includes('…') && !onlyNames.includes(code));
}

function onceEach(commands: readonly DocumentedCommand[]): DocumentedCommand[] {
  return [...new Map(commands.map((one) => [`${one.document}: ${one.command}`, one])).values()];
}
