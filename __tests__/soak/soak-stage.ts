/** One host with two stored keys, a key in KMS and an EC2 instance, and jobs: what a round does, and what it leaves. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch, reachHosts } from '../support/reachable-ec2.ts';
import { makeKmsKey, maySign } from '../e2e/kms/kms-keys.ts';
import { told } from '../e2e/stage.ts';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { Ec2Host, launchInstance, program, project } from '../support/ec2-host.ts';
import type { Ec2Instance } from '../support/ec2-instance.ts';
import { startGitHost, type GitHost } from '../support/git-host/git-host.ts';
import { createJob } from '../support/runner/job.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';

/** What would grow. */
export interface Sample {
  readonly processes: number;
  readonly descriptors: number;
  readonly files: number;
  /** Resident memory of all agents and keepers. */
  readonly megabytes: number;
}

/** Seconds: keys expire all the time. */
const lifetime = 8;
const bytes = 300_000;
/** Milliseconds: ssm-ssh looks for a newer version once a minute. */
const between = 65_000;

export class SoakStage {
  world!: ReadyWorld;
  git!: GitHost;
  host!: Ec2Host;
  instance!: Ec2Instance;
  #keys: SshKey[] = [];
  /** Two for each stored key, which rotates between them. */
  #spare: SshKey[] = [];
  readonly #rotated: number[] = [];

  async open(): Promise<void> {
    const made = [0, 1, 2, 3].map(() => makeSshKey());
    [this.world, this.git, ...this.#keys] = await Promise.all([startReadyWorld(), startGitHost(), ...made]);
    this.#spare = this.#keys.splice(2);
    const { world, git } = this;
    launchInstance(world, [maySign, ...reachHosts]);
    this.instance = await launch(world);
    for (const name of ['one', 'two', 'kms']) await git.createRepository(`acme/${name}`);
    this.#keys.forEach((key, at) => {
      this.#serve(at, key);
    });
    git.addDeployKey({ repository: 'acme/kms', publicKey: makeKmsKey(world, 'deploy').publicKey });
    this.host = new Ec2Host(world, [git]);
    const place = `${git.address}:${git.port}/acme`;
    this.host.configure([
      ...['[ssm]', `keyLifetime = ${lifetime}s`],
      ...[`[ssm "${place}/one"]`, 'key = /ci/one', `[ssm "${place}/two"]`, 'key = /ci/two'],
      ...[`[ssm "${place}/kms"]`, 'key = kms:alias/deploy'],
    ]);
  }

  async close(): Promise<void> {
    this.host.dispose();
    await this.instance.stop();
    await Promise.all([this.git.stop(), this.world.stop()]);
  }

  #serve(at: number, key: SshKey): void {
    const name = ['one', 'two'][at] ?? '';
    this.world.put(`/ci/${name}`, key.privateKey);
    this.git.addDeployKey({ repository: `acme/${name}`, publicKey: key.publicKey });
  }

  /** The stored key has a new version, and the host does not take the old one any more. */
  rotate(at: number): void {
    const [old, next, last = -Infinity] = [this.#keys[at], this.#spare[at], this.#rotated[at]];
    if (!old || !next || performance.now() - last < between) return;
    this.#rotated[at] = performance.now();
    this.git.removeKey(old.publicKey);
    this.#serve(at, next);
    [this.#keys[at], this.#spare[at]] = [next, old];
  }

  /**
   * A failure that is overcome when AWS answers again. One at a time: a key that expires once in many rounds would
   * otherwise meet all of them together, and these are more than a call is repeated.
   */
  disturb(number: number): void {
    const faults = ['throttling', 'reset', 'unavailable', 'cut', 'internal-error'] as const;
    const fault = faults[number % faults.length] ?? 'reset';
    const operation = ['ssm:GetParameter', 'kms:Sign', 'kms:GetPublicKey'][number % 3] ?? '';
    this.world.aws.faults.clear();
    this.world.aws.faults.order({ operation, fault, times: 1 });
  }

  /** @returns what failed */
  async connect(name: string): Promise<string[]> {
    const { code, stderr } = await this.host.run(`git ls-remote ${this.git.url(`acme/${name}`)}`);
    return code === 0 ? [] : [`${name}: ${code} ${stderr}`];
  }

  async transfer(isCut: boolean): Promise<string[]> {
    const { host, instance, world } = this;
    const target = `${instance.user}@${instance.instanceId}`;
    const ran = host.run(`${program} ${target} 'head -c ${bytes} /dev/zero' | wc -c`);
    const cut = async (): Promise<void> => {
      while (world.aws.sessions.open.every(({ connected }) => !connected)) await sleep(10);
      await sleep(100);
      world.aws.sessions.cut();
    };
    const [{ stdout, stderr }] = await Promise.all([ran, isCut ? Promise.race([cut(), ran]) : undefined]);
    return Number(stdout) === bytes ? [] : [`tunnel: ${stdout} ${stderr}`];
  }

  async runJob(): Promise<string[]> {
    const { world, git } = this;
    const job = createJob({ actionPath: dirname(join(project, 'action.yml')), env: world.jobEnvironment() });
    try {
      const inputs = { keys: '/ci/one', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
      const main = await job.uses({ with: { ...inputs, 'known-hosts': git.knownHosts } });
      const { outcome, log } = await job.run(`git ls-remote ${git.url('acme/one')}`);
      const { leftoverProcesses } = await job.finish();
      return [
        ...(told(main).text === '' ? [] : [`job: ${told(main).text}`]),
        ...(outcome === 'success' ? [] : [`job: ${log}`]),
        ...leftoverProcesses.map(({ command }) => `job left ${command}`),
        ...job.files().map(({ path }) => `job left ${path}`),
      ];
    } finally {
      job.dispose();
    }
  }

  sample(): Sample {
    const pids = this.host.processes().map(({ pid }) => pid);
    return {
      processes: pids.length,
      descriptors: pids.reduce((sum, pid) => sum + entriesOf(`/proc/${pid}/fd`), 0),
      files: this.host.files().size,
      megabytes: Math.round(pids.reduce((sum, pid) => sum + residentKilobytes(pid), 0) / 1024),
    };
  }

  /** Sessions and violations of the protocol. */
  get sessions(): string[] {
    const { open, violations } = this.world.aws.sessions;
    return [...open.map(({ id }) => `open: ${id}`), ...violations.map(({ what }) => what)];
  }
}

/** 0 if the process has ended. */
function entriesOf(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}

function residentKilobytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
