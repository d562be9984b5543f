/** A host on which every check of doctor succeeds, for tests that break one thing. */
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
import { quoted } from '../../../src/process/quote.ts';
import type { Finding } from '../../../helper/doctor/finding.ts';
import { nodeFolder } from '../../support/programs-node.ts';

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
    return [nodeFolder, folder].join(delimiter);
  }

  /** A PATH without these programs, and with stubs of them: shell scripts, by their names. */
  stub(programs: Readonly<Record<string, string>>, ...without: readonly string[]): void {
    const path = without.length === 0 ? (this.host.env['PATH'] ?? '') : this.pathWithout(...without);
    for (const [name, script] of Object.entries({ sudo: 'exec "$@"', ...programs }))
      this.write(`stubs/${name}`, `#!/bin/sh\n${script}\n`, 0o755);
    this.host.env['PATH'] = [join(this.host.home, 'stubs'), path].join(delimiter);
  }

  /** A stub that keeps its arguments, one call a line. */
  keepCalls(name: string): void {
    this.stub({ [name]: `echo "$*" >>"$HOME/calls-${name}"` });
  }

  calls(name: string): string {
    return readFileSync(join(this.host.home, `calls-${name}`), 'utf8').trim();
  }

  /** As a person does in the shell of this host: variables that it sets or removes stay so. */
  async runRemedy(command: string, folder = '.'): Promise<void> {
    const script = quoted(`${command}\nenv -0 >"$HOME/environment"`);
    const { code, stderr } = await this.host.run(`cd ${folder}; sh -e -c ${script}`);
    if (code !== 0) throw new Error(`${command}: ${stderr}`);
    const path = join(this.host.home, 'environment');
    const lines = readFileSync(path, 'utf8').split('\0').filter(Boolean);
    rmSync(path);
    const after = new Map(
      lines.map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]),
    );
    for (const name of ['PWD', 'OLDPWD', 'SHLVL', '_']) after.delete(name);
    for (const name of Object.keys(this.host.env)) if (!after.has(name)) setVariable(name)(this);
    for (const [name, value] of after) setVariable(name, value)(this);
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

interface AnyFault {
  readonly fault: string;
  /** The check that has to find it. */
  readonly check: string | ((stage: DoctorStage) => string);
  readonly status: 'warn' | 'fail';
  readonly detail: RegExp;
  readonly break: (stage: DoctorStage) => unknown;
  readonly args?: (stage: DoctorStage) => readonly string[];
  /** The working directory, below the home folder. */
  readonly folder?: string;
  /** The check after the repair, `ok`. Default: the same check. */
  readonly after?: string | ((stage: DoctorStage) => string);
  /** `skip` is right after the repair, and why. */
  readonly skipped?: string;
}

/** The remedy is a command: the test runs it as it is printed. */
export interface CommandFault extends AnyFault {
  /** What a person fills in, by the word in capitals that the remedy has for it. */
  readonly fill?:
    Readonly<Record<string, string>> | ((stage: DoctorStage) => Readonly<Record<string, string>>);
  /** A text in front of the command, which the remedy has to have. */
  readonly behind?: string;
  /** Before the remedy: what the person may do that the instance may not. */
  readonly allow?: (stage: DoctorStage) => unknown;
  /** After the remedy: what a program that a test cannot run (AWS CLI, timedatectl) does. */
  readonly effect?: (stage: DoctorStage) => unknown;
}

/** No command can do what is needed. */
export interface AdviceFault extends AnyFault {
  /** The words of the remedy for what the test does. */
  readonly advice: RegExp;
  readonly repair: (stage: DoctorStage, finding: Finding) => unknown;
}

export type Fault = CommandFault | AdviceFault;

export const isAdvice = (fault: Fault): fault is AdviceFault => 'advice' in fault;

/** Runs the command of the remedy, with each placeholder filled in. */
export async function applyRemedy(
  stage: DoctorStage,
  { remedy }: Finding,
  fault: CommandFault,
): Promise<void> {
  const { fill = {}, behind = '', allow: permit, effect, folder } = fault;
  const command = remedy.slice(remedy.indexOf(behind) + behind.length);
  if (!remedy.includes(behind)) throw new Error(`no "${behind}" in ${remedy}`);
  const values = Object.entries(typeof fill === 'function' ? fill(stage) : fill);
  const filled = values.reduce((text, [word, value]) => {
    const parts = text.split(new RegExp(`\\b${word}\\b`));
    if (parts.length < 2) throw new Error(`${word} is not in it: ${text}`);
    return parts.join(value);
  }, command);
  await permit?.(stage);
  await stage.runRemedy(filled, folder);
  await effect?.(stage);
}

/** Gives the role of the instance what the statement in the remedy allows. */
export function permitPrinted(stage: DoctorStage, { remedy }: Finding): void {
  const statement = JSON.parse(/\{.*\}/.exec(remedy)?.[0] ?? '') as { Action: string; Resource: string };
  stage.permit([allow(statement.Action, statement.Resource)]);
}

/** Sets or removes a variable of the host. */
export function setVariable(name: string, value?: string): (stage: DoctorStage) => void {
  return ({ host }) => {
    if (value === undefined) Reflect.deleteProperty(host.env, name);
    else host.env[name] = value;
  };
}
