/** A host on which every check of doctor succeeds, for tests that break one thing. */
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { startReadyWorld, ACCOUNT, REGION, type ReadyWorld } from '../../support/aws/world.ts';
import type { PolicyDocument } from '../../support/aws/local-aws.ts';
import {
  Ec2Host,
  INSTANCE_ROLE,
  launchInstance,
  program,
  project,
  type Ran,
} from '../../support/ec2-host.ts';
import { allow } from '../../support/aws/world.ts';
import type { GitHost } from '../../support/git-host/git-host.ts';
import type { SshKey } from '../../support/ssh-keys.ts';
import type { Finding } from '../../../helper/doctor/finding.ts';

export const agentProgram = join(project, 'helper/ssm-ssh-agent');
export const helperProgram = join(project, 'helper/git-credential-ssm');

/** Of the EC2 host that the tests name. */
export const instanceId = 'i-0123456789abcdef1';
export const target = `ec2-user@${instanceId}`;

const reachHosts: readonly PolicyDocument[] = [
  allow(['ec2:DescribeInstances', 'ssm:DescribeInstanceInformation'], '*'),
];

export class DoctorStage {
  readonly world: ReadyWorld;
  readonly git: GitHost;
  readonly key: SshKey;
  readonly host: Ec2Host;
  /** Milliseconds that AWS's clock is ahead. */
  readonly time: { skew: number };

  private constructor(
    git: GitHost,
    key: SshKey,
    { world, time }: { readonly world: ReadyWorld; readonly time: { skew: number } },
  ) {
    [this.git, this.key, this.world, this.time] = [git, key, world, time];
    this.host = new Ec2Host(world, [git]);
  }

  static async open(git: GitHost, key: SshKey): Promise<DoctorStage> {
    const time = { skew: 0 };
    const world = await startReadyWorld({ clock: () => new Date(Date.now() + time.skew) });
    const stage = new DoctorStage(git, key, { world, time });
    stage.permit();
    stage.configure();
    world.put('/ci/key', key.privateKey);
    world.put('/ci/token', 'ghp_0123456789abcdefghij');
    world.aws.ec2.launch({ instanceId, tags: { Name: 'web-1' } });
    stage.connect();
    Reflect.deleteProperty(stage.host.env, 'GIT_SSH_COMMAND');
    return stage;
  }

  async close(): Promise<void> {
    this.host.dispose();
    await this.world.stop();
  }

  /** Sets the permissions of the instance's role. */
  permit(more: readonly PolicyDocument[] = [], hosts = reachHosts): void {
    launchInstance(this.world, [...hosts, ...more]);
  }

  /** The instance's metadata. */
  metadata(
    more: {
      readonly roleArn?: string | undefined;
      readonly roleSeconds?: number;
      readonly access?: 'disabled';
    } = {},
  ): void {
    const { roleArn = INSTANCE_ROLE, ...others } = more;
    const role = 'roleArn' in more && more.roleArn === undefined ? {} : { roleArn };
    this.world.aws.metadata.set({ region: REGION, account: ACCOUNT, ...role, ...others });
  }

  connect(information = {}): void {
    this.world.aws.sessions.connectAgent({
      account: ACCOUNT,
      region: REGION,
      instanceId,
      ports: {},
      information,
    });
  }

  /** `127.0.0.1:PORT/acme/lib` */
  get section(): string {
    return `${this.git.address}:${this.git.port}/acme/lib`;
  }

  get url(): string {
    return this.git.url('acme/lib');
  }

  /** The lines of git's global configuration: a key for the repository, and a token for HTTPS. */
  configure(more: readonly string[] = [], key: readonly string[] = ['key = /ci/key']): void {
    this.host.configure([
      ...['[core]', `sshCommand = ${program}`],
      ...[`[ssm "${this.section}"]`, ...key],
      ...['[ssm "github.com/acme"]', 'credential = /ci/token'],
      ...['[credential "https://github.com"]', `helper = ${helperProgram}`, 'useHttpPath = true'],
      ...more,
    ]);
  }

  /** A PATH with every program but these. */
  pathWithout(...names: readonly string[]): string {
    const folder = join(this.host.home, 'programs');
    mkdirSync(folder);
    for (const place of ['/usr/bin', '/bin', '/usr/local/bin']) {
      for (const name of readdirSync(place)) {
        if (names.includes(name)) continue;
        try {
          symlinkSync(join(place, name), join(folder, name));
        } catch {
          // The first folder wins, as on PATH.
        }
      }
    }
    return [dirname(process.execPath), folder].join(delimiter);
  }

  write(name: string, text: string, mode = 0o600): string {
    const path = join(this.host.home, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
    return path;
  }

  async run(args: readonly string[] = [], folder = '.'): Promise<Ran> {
    const words = args.map((arg) => `'${arg}'`).join(' ');
    return await this.host.run(`cd ${folder}; ${agentProgram} doctor ${words}`);
  }

  async findings(args: readonly string[] = [], folder = '.'): Promise<Finding[]> {
    const { stdout, stderr } = await this.run(['--json', ...args], folder);
    if (!stdout.startsWith('[')) throw new Error(`doctor printed no JSON: ${stderr}`);
    return JSON.parse(stdout) as Finding[];
  }
}

/** One fault, and how it is fixed. */
export interface Fault {
  readonly fault: string;
  /** The check that has to find it. */
  readonly check: string | ((stage: DoctorStage) => string);
  readonly status: 'warn' | 'fail';
  readonly detail: RegExp;
  readonly break: (stage: DoctorStage) => unknown;
  /** Does what the remedy says. */
  readonly repair: (stage: DoctorStage, finding: Finding) => unknown;
  readonly args?: (stage: DoctorStage) => readonly string[];
  /** The working directory, below the home folder. */
  readonly folder?: string;
  /** The check after the repair. Default: the same check, `ok`. */
  readonly after?: { readonly check?: string; readonly status?: 'ok' | 'skip' };
}

/** Runs the command in the remedy, up to its first comma or semicolon. */
export async function asWritten(stage: DoctorStage, { remedy }: Finding): Promise<void> {
  const [command = ''] = remedy.replace(/^clear the list first: /, '').split(/, (?:or|and) |; /);
  const { code, stderr } = await stage.host.run(command);
  if (code !== 0) throw new Error(`${command}: ${stderr}`);
}

/** Sets or removes a variable of the host. */
export function setVariable(name: string, value?: string): (stage: DoctorStage) => void {
  return ({ host }) => {
    if (value === undefined) Reflect.deleteProperty(host.env, name);
    else host.env[name] = value;
  };
}
