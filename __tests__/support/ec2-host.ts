/** A host on EC2: a home folder, the role of its instance, and ssm-ssh from the project's folder. */
import { execFile, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { PolicyDocument } from './aws/local-aws.ts';
import { allow, ACCOUNT, REGION, type ReadyWorld } from './aws/world.ts';
import type { GitHost } from './git-host/git-host.ts';
import { compileCache } from './runner/environment.ts';
import { endAll, runningProcesses } from './runner/process-table.ts';
import { nodeFolder } from './programs-node.ts';

export const project = dirname(dirname(import.meta.dirname));
export const program = join(project, 'helper/ssm-ssh');
export const INSTANCE_ROLE = `arn:aws:iam::${ACCOUNT}:role/build-machine`;

const uid = userInfo().uid;
const mounting = ['--mount', 'sh', '-c', 'mount --bind "$0" /run/user && exec "$@"'] as const;
/** Whether a test can replace /run/user: in a mount namespace, as root. */
export const canMount = works('unshare', ...mounting, tmpdir(), 'true');
/** Runs the program with this folder as /run/user, if `canMount`. */
export function withRunUser(folder: string, program: readonly string[]): string[] {
  return canMount ? ['unshare', ...mounting, folder, ...program] : [...program];
}
/** Otherwise the state folder is the tester's own, which a test must not touch. */
export const stateIsOurs = canMount || !existsSync(`/run/user/${uid}`);

export function works(name: string, ...args: readonly string[]): boolean {
  return spawnSync(name, args).status === 0;
}

const trustEc2 = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
} as const;

/** Launches an instance whose role may only read `/ci/*` with GetParameter, and has the additional policies. */
export function launchInstance({ aws }: ReadyWorld, more: readonly PolicyDocument[] = []): void {
  const keys = allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`);
  aws.iam.createRole({ arn: INSTANCE_ROLE, trustPolicy: trustEc2, policies: [keys, ...more] });
  aws.metadata.set({ region: REGION, account: ACCOUNT, roleArn: INSTANCE_ROLE });
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds. */
  readonly took: number;
}

export class Ec2Host {
  readonly home = mkdtempSync(join(tmpdir(), 'ec2-'));
  /** The programs' /run/user, if `canMount`. */
  readonly runUser = join(this.home, 'run-user');
  readonly env: Record<string, string>;

  constructor(
    world: Pick<ReadyWorld, 'aws'>,
    hosts: readonly GitHost[],
    settings: Readonly<Record<string, string>> = {},
  ) {
    const known = join(this.home, 'known');
    mkdirSync(this.runUser);
    writeFileSync(known, hosts.map((host) => host.knownHosts).join(''));
    this.env = {
      PATH: [nodeFolder, process.env['PATH'] ?? ''].join(delimiter),
      HOME: this.home,
      TMPDIR: this.home,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_SSH_COMMAND: program,
      SSM_SSH_KNOWN_HOSTS: known,
      ...compileCache,
      ...world.aws.environment({ metadata: true }),
      ...settings,
    };
  }

  get state(): string {
    return join(this.home, '.cache', `ssm-ssh-agent-${uid}`);
  }

  configure(lines: readonly string[]): void {
    writeFileSync(
      join(this.home, '.gitconfig'),
      ['[user]', 'name = ci', 'email = ci@acme.test', ...lines, ''].join('\n'),
    );
  }

  /** Runs in bash, as the tester or, if the tester is root, as the user with that number. */
  run(script: string, env: Readonly<Record<string, string>> = {}, as = uid): Promise<Ran> {
    const started = Date.now();
    const [file = '', ...args] = this.argv(['bash', '-e', '-c', script], as);
    return new Promise((resolve) => {
      const options = { cwd: this.home, env: { ...this.env, ...env }, maxBuffer: 1e8 };
      const child = execFile(file, args, options, (_, stdout, stderr) => {
        resolve({ code: child.exitCode ?? 128, stdout, stderr, took: Date.now() - started });
      });
    });
  }

  /** The arguments with which this host starts the program. */
  argv(program: readonly string[], as = uid): string[] {
    const user = ['setpriv', `--reuid=${as}`, `--regid=${as}`, '--clear-groups'];
    return withRunUser(this.runUser, as === uid ? program : [...user, ...program]);
  }

  /** Live processes with the home folder in their arguments: the agent and its keeper. */
  processes(): readonly { readonly pid: number; readonly command: string }[] {
    return runningProcesses().filter(({ command }) => command.includes(this.home));
  }

  /** Every file below the home folder, with its text. */
  files(folder = this.home): Map<string, string> {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    return new Map(paths.map((path) => [path, readFileSync(path, 'latin1')]));
  }

  dispose(): void {
    // Includes child processes: a keeper's sleep would run for hours.
    endAll(() =>
      runningProcesses().filter(({ command, environment }) =>
        `${command} ${environment}`.includes(this.home),
      ),
    );
    rmSync(this.home, { recursive: true, force: true, maxRetries: 3 });
  }
}
