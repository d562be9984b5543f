/** Checks the programs that git and ssh connections need, and tells which kind of machine this is. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homeOfAccount, userId } from '../../src/process/account.ts';
import { run } from '../../src/process/run.ts';
import { fail, ok, warn, type Finding } from './finding.ts';
import { programOnPath } from './find-program.ts';
import { hostKind } from './host-kind.ts';
import { installCommand } from './install-command.ts';

export interface ProgramOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of Node: `24.21.0`. */
  readonly nodeVersion: string;
  readonly node: string;
  readonly signal: AbortSignal;
}

/** Without these versions something of ours fails; see docs/install.md and src/ssh/agent.ts. */
const needed = { git: [2, 26], openssh: [8, 4], node: [20, 0] } as const;

export async function checkPrograms(options: ProgramOptions): Promise<Finding[]> {
  const [git, ssh] = await Promise.all([checkGit(options), checkSsh(options)]);
  const others = ['ssh-agent', 'ssh-add'].map((name) => {
    const path = programOnPath(name, options.env);
    return path === undefined
      ? fail(name, `${name} is not on PATH`, installCommand('openssh', options.env))
      : ok(name, path);
  });
  return [git, ssh, ...others, checkNode(options), await checkHost(options)];
}

async function checkGit(options: ProgramOptions): Promise<Finding> {
  const said = await versionText('git', '--version', options);
  if (said === undefined)
    return fail('git', 'GIT_NOT_FOUND: git is not on PATH', installCommand('git', options.env));
  const version = versionIn(said);
  if (isEnough(version, needed.git)) return ok('git', said);
  return warn(
    'git',
    `${said} does not tell the scopes of settings: not all of ours count`,
    installCommand('git', options.env),
  );
}

async function checkSsh(options: ProgramOptions): Promise<Finding> {
  const said = await versionText('ssh', '-V', options);
  if (said === undefined)
    return fail('ssh', 'SSH_NOT_FOUND: ssh is not on PATH', installCommand('openssh', options.env));
  if (homeOfAccount() === undefined) {
    const detail = `the user ${userId()} has no entry in the list of accounts (/etc/passwd): OpenSSH does not run for such a user`;
    const remedy = `run as a user that this machine knows, or add one: useradd --uid ${userId()} NAME; in an image, RUN useradd`;
    return fail('ssh', detail, remedy);
  }
  const [, major, minor] = /OpenSSH_(\d+)\.(\d+)/.exec(said) ?? [];
  if (major === undefined)
    return warn('ssh', `${said} is not OpenSSH`, installCommand('openssh', options.env));
  if (isEnough([Number(major), Number(minor)], needed.openssh)) return ok('ssh', said);
  return fail('ssh', `${said} is older than OpenSSH 8.4`, installCommand('openssh', options.env));
}

function checkNode({ nodeVersion, node }: ProgramOptions): Finding {
  const said = `Node ${nodeVersion} at ${node}`;
  return isEnough(versionIn(nodeVersion), needed.node)
    ? ok('node', said)
    : fail(
        'node',
        `${said} is too old`,
        'install Node 20 or newer; or export SSM_SSH_NODE=PATH, the path of one',
      );
}

async function checkHost({ env }: ProgramOptions): Promise<Finding> {
  const vendor = await readFile('/sys/class/dmi/id/sys_vendor', 'utf8').catch(() => '');
  const container = ['/.dockerenv', '/run/.containerenv'].some((path) => existsSync(path));
  return ok('host', hostKind(env, { vendor: vendor.trim(), container }));
}

/** The first line; undefined if the program cannot be started. */
async function versionText(
  program: string,
  option: string,
  { env, signal }: ProgramOptions,
): Promise<string | undefined> {
  const { PATH = '' } = env;
  const finished = await run([program, option], { env: { PATH, LC_ALL: 'C' }, signal }).catch(
    () => undefined,
  );
  signal.throwIfAborted();
  return finished && (`${finished.stdout}${finished.stderr}`.trim().split('\n')[0] ?? '');
}

function versionIn(text: string): readonly [number, number] {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(text) ?? [];
  return [Number(major), Number(minor)];
}

function isEnough([major, minor]: readonly [number, number], wanted: readonly [number, number]): boolean {
  return major > wanted[0] || (major === wanted[0] && minor >= wanted[1]);
}
