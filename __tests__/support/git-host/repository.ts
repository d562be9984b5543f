/** Bare repositories with one commit, made by git's plumbing without any configuration. */
import { spawn } from 'node:child_process';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { repositoryKey } from './grants.ts';

export interface Repository {
  readonly name: string;
  /** The bare repository itself, for tests that inspect it. */
  readonly directory: string;
  /** The first commit of `main`. */
  readonly commit: string;
}

/** Environment for a git without settings of this machine and user. */
export function gitEnvironment(home: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Octo Cat',
    GIT_AUTHOR_EMAIL: 'octocat@example.com',
    GIT_COMMITTER_NAME: 'Octo Cat',
    GIT_COMMITTER_EMAIL: 'octocat@example.com',
  };
}

export async function createRepository(
  folder: string,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<Repository> {
  const directory = join(folder, `${repositoryKey(name)}.git`);
  await mkdir(dirname(directory), { recursive: true });
  await git(folder, ['init', '--quiet', '--bare', '--template=', directory]);
  await writeFile(join(directory, 'HEAD'), 'ref: refs/heads/main\n');
  await appendFile(join(directory, 'config'), likeGitHub);
  const marks = join(directory, 'marks');
  await git(directory, ['fast-import', '--quiet', `--export-marks=${marks}`], firstCommit(files));
  return { name, directory, commit: (await readFile(marks, 'utf8')).trim().replace(/^:1 /, '') };
}

/** Partial clones and fetches by commit work on GitHub. Housekeeping must not outlive a test. */
const likeGitHub = `[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[receive]
\tautogc = false
[gc]
\tauto = 0
`;

/** git-fast-import(1): every file inline, in one commit on main. */
function firstCommit(files: Readonly<Record<string, string>>): string {
  const message = 'first commit';
  const contents = Object.entries(files).map(
    ([path, content]) => `M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n${content}\n`,
  );
  return [
    'commit refs/heads/main\n',
    'mark :1\n',
    'committer Octo Cat <octocat@example.com> 1750000000 +0000\n',
    `data ${message.length}\n${message}\n`,
    ...contents,
  ].join('');
}

async function git(cwd: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn('git', args, { cwd, env: gitEnvironment(cwd), stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // A git that reads nothing may end before its input arrives; its exit code matters.
  child.stdin.on('error', () => undefined).end(input);
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new Error(`git ${args.join(' ')} ended with ${String(code)}: ${stderr.trim()}`);
  return stdout;
}
