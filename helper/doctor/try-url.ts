/** Asks a git host for one reference of a repository, by git and the ssm-ssh of this installation. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { definedIn } from '../../src/process/environment.ts';
import type { Finished } from '../../src/process/run.ts';
import { runInGroup as run } from '../../src/process/run-in-group.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { markVariable } from '../error-mark.ts';
import { fail, ok, type Finding } from './finding.ts';
import type { UrlRoute } from './url-route.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface UrlTry {
  readonly check: string;
  readonly url: string;
  readonly env: Environment;
  readonly installation: string;
  readonly signal: AbortSignal;
}

export interface SshTry extends UrlTry {
  /** Absent: plain ssh, with the agent of the session. */
  readonly route: UrlRoute | undefined;
  /** In known_hosts form. */
  readonly knownHosts: string;
  readonly strict: string;
  /** Options of the command line: `--region`, `--role-arn`, `--profile`. */
  readonly account: readonly string[];
}

/** Nothing is asked of people, and nothing is noted about the host. */
const quiet = ['BatchMode=yes', 'ConnectTimeout=5', 'UpdateHostKeys=no'];
/** ssm-ssh shares no connection by itself, and takes such options for the user's own choice. */
const alone = ['ControlMaster=no', 'ControlPath=none', 'StrictHostKeyChecking=yes'];
const options = (more: readonly string[]): string =>
  [...quiet, ...more].map((option) => `-o ${option}`).join(' ');

/** With `exec`: the key is in an agent of its own that ends with git or with this process, and no folder of this user changes. */
export async function trySsh(given: SshTry): Promise<Finding> {
  const wanted = { ...given, mark: newMark() };
  const { url, env, installation, signal, route, knownHosts, strict, account, mark } = wanted;
  const known = forGit(env, mark);
  const asks = ['git', 'ls-remote', '--', url, 'HEAD'] as const;
  // The ssh command of a job has its keys.
  if (route && route.line === undefined) {
    const command = env['GIT_SSH_COMMAND'] || quoteForShell(join(installation, 'helper/ssm-ssh'));
    const GIT_SSH_COMMAND = `${command} ${options([])}`;
    return told(wanted, await run(asks, { env: { ...known, GIT_SSH_COMMAND }, signal }));
  }
  if (!route) {
    const GIT_SSH_COMMAND = `ssh ${options(alone)}`;
    const plain = { ...known, GIT_SSH_COMMAND, GIT_SSH_VARIANT: 'ssh' };
    return told(wanted, await run(asks, { env: plain, signal }));
  }
  // exec sets GIT_SSH_COMMAND, so the options are added inside of it.
  const script = `GIT_SSH_COMMAND="$GIT_SSH_COMMAND ${options([])}" exec git ls-remote -- "$1" HEAD`;
  const argv = [
    ...[join(installation, 'helper/ssm-ssh-agent'), 'exec', '--quiet', '--key', route.line, ...account],
    ...['--known-hosts', '/dev/stdin', `--strict-host-key-checking=${strict || 'yes'}`],
    ...['--', 'sh', '-c', script, 'sh', url],
  ] as unknown as [string, ...string[]];
  return told(wanted, await run(argv, { env: known, signal, input: knownHosts }));
}

interface HttpsTry extends UrlTry {
  /** Of the action, as git has it: `!f() …`. Absent: git-credential-ssm. */
  readonly helper?: string | undefined;
}

/** With one credential helper of ours alone, and only to get: git would tell others to store what has worked. */
export async function tryHttps(given: HttpsTry): Promise<Finding> {
  const wanted = { ...given, mark: newMark() };
  const { url, env, installation, signal, mark, helper } = wanted;
  const program = quoteForShell(join(installation, 'helper/git-credential-ssm'));
  const getOnly = `!f() { test "$1" = get && exec ${program} get; }; f`;
  const settings = ['helper=', `helper=${helper ?? getOnly}`, 'useHttpPath=true'];
  const options = settings.flatMap((setting) => ['-c', `credential.${setting}`]);
  const argv = ['git', ...options, 'ls-remote', '--', url, 'HEAD'] as const;
  const quietly = { ...forGit(env, mark), GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '', SSH_ASKPASS: '' };
  return told(wanted, await run(argv, { env: quietly, signal }));
}

/** In front of the errors of our programs. A git host cannot know it. */
function newMark(): string {
  return ` [${randomBytes(8).toString('hex')}]`;
}

interface Tried {
  readonly check: string;
  readonly url: string;
  readonly mark: string;
  readonly route?: UrlRoute | undefined;
}

function told({ check, url, mark, route }: Tried, { exitCode, stdout, stderr }: Finished): Finding {
  if (exitCode === 0) {
    const [head = ''] = stdout.split(/\s/);
    return ok(
      check,
      head === ''
        ? 'the repository can be read, and is empty'
        : `the repository can be read: HEAD is ${head}`,
    );
  }
  const { detail, remedy } = explained(stderr, { url, mark });
  const { unknown, refused } = route ?? {};
  if (detail.startsWith('SIGNATURE_REFUSED')) return fail(check, detail, refused ?? remedy);
  return fail(check, detail, (isUnknown(stderr, mark) && unknown) || remedy);
}

/** Whether ssh says that the host refused every key. */
function isUnknown(stderr: string, mark: string): boolean {
  return /Permission denied \(publickey/.test(stderr) && !ownError(stderr, mark);
}

/** The error of one of our programs. */
function ownError(stderr: string, mark: string): Pick<Finding, 'detail' | 'remedy'> | undefined {
  const names = /^(?:ssm-ssh|ssm-ssh-agent|git-credential-ssm)(.*?): ([A-Z_]+: .*)\nhint: (.*)$/gm;
  const found = [...stderr.matchAll(names)].find(([, between]) => between === mark);
  return found && { detail: found[2] ?? '', remedy: found[3] ?? '' };
}

/** Our programs print two lines; of ssh and git the usual sentences are known. */
export function explained(
  stderr: string,
  { url, mark }: Pick<Tried, 'url' | 'mark'>,
): Pick<Finding, 'detail' | 'remedy'> {
  const own = ownError(stderr, mark);
  if (own) return own;
  const lines = stderr.split(/\r?\n/).map((line) => line.trim().replace(/^(fatal|ERROR|remote): /, ''));
  const said = lines.filter(
    (line) =>
      line !== '' &&
      !/^(Warning: Permanently|ssm-ssh: warning|hint:|Please make sure|and the repository)/.test(line),
  );
  const detail = said.slice(0, 2).join('; ') || 'git failed without a message';
  return {
    detail,
    remedy:
      usual.find(([words]) => words.test(stderr))?.[1] ??
      `run it yourself: GIT_TRACE=1 git ls-remote ${quoteForShell(url)}`,
  };
}

const usual: readonly (readonly [RegExp, string])[] = [
  [
    /Permission denied \(publickey/,
    'register the public key at the host (on GitHub: Settings, Deploy keys), or name another key for this repository',
  ],
  [
    /Repository not found|does not appear to be a git repository|returned error: 404/i,
    'check the URL; a deploy key opens one repository only: name the key of this repository in a section of its own',
  ],
  [
    /Host key verification failed/,
    'add the key of the host: ssh-keyscan HOST >>FILE, and git config --global ssm.knownHosts FILE',
  ],
  [/Could not resolve host/i, 'check the name of the host, and the DNS of this machine'],
  [
    /Connection (refused|timed out|closed)|Network is unreachable/i,
    'check that this machine reaches the host and the port; a firewall may stand between',
  ],
  [
    /could not read (Username|Password)|Authentication failed/,
    'name a credential for it: ssm-ssh-agent setup --global --credential "REF HOST/OWNER"; or replace the token, which the host does not accept',
  ],
];

/**
 * The environment, with the two transports that doctor tries: a repository's `insteadOf` may name others, such as `ext::`,
 * which starts a program.
 *
 * @source git(1), GIT_ALLOW_PROTOCOL
 */
function forGit(env: Environment, mark: string): Record<string, string> {
  const tried = ['ssh', 'https'];
  const allowed = env['GIT_ALLOW_PROTOCOL']?.split(':') ?? tried;
  const both = tried.filter((name) => allowed.includes(name)).join(':');
  return { ...definedIn(env), GIT_ALLOW_PROTOCOL: both || 'none', [markVariable]: mark };
}
