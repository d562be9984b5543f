/** One row of the table of local faults on a host: a program in trouble, and then the same program without it. */
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { launchInstance, project } from '../../support/ec2-host.ts';
import { startEc2Instance, type Ec2Instance } from '../../support/ec2-instance.ts';
import { startGitHost, type GitHost } from '../../support/git-host/git-host.ts';
import { startGitHubApi, type GitHubApi } from '../../support/github/github-api.ts';
import { endAll, runningProcesses } from '../../support/runner/process-table.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';
import { judge, type LocalOutcome, type Promised } from './judge.ts';
import type { Ended } from './namespace.ts';
import { limit, Stand, stillThere, timeout } from './stand.ts';
import { user, type Disk, type LocalTrouble } from './troubles.ts';
import { nodeFolder } from '../../support/programs-node.ts';

export const homeDisk: Disk = { name: 'home', path: '$FOLDER/home' };
export const tempDisk: Disk = { name: 'TMPDIR', path: '$FOLDER/tmp' };

export interface HostStep {
  readonly name: string;
  /** A script of bash. Without trouble it must succeed. */
  readonly before?: string;
  /** One command of bash. The variables of `variablesOf` are set. */
  readonly run: string;
  /** After the trouble; it must succeed. Default: the same command. */
  readonly again?: string;
  /** Ends what the steps leave by purpose. */
  readonly after?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `$FOLDER/key` is the parameter `$ROTATED`, and a deploy key of the repository. */
  readonly rotates?: boolean;
}

export interface HostRow {
  readonly step: HostStep;
  readonly trouble: LocalTrouble;
  readonly promised: Promised;
}

interface Around {
  readonly world: ReadyWorld;
  readonly git: GitHost;
  readonly key: SshKey;
  readonly instance: Ec2Instance;
  readonly github: GitHubApi;
}

export class HostGround {
  readonly #around: Around;

  private constructor(around: Around) {
    this.#around = around;
  }

  static async open(): Promise<HostGround> {
    const [world, git, key] = await Promise.all([startReadyWorld(), startGitHost(), makeSshKey()]);
    await git.createRepository('acme/lib');
    git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey, write: true });
    launchInstance(world, [allow('*', '*')]);
    world.put('/ci/key', key.privateKey);
    world.put('/ci/token', 'ghp_0123456789abcdefghij');
    const [instance, github] = await Promise.all([
      startEc2Instance(world.aws, { authorizedKeys: [key.publicKey] }),
      startGitHubApi({ deployKeys: { git } }),
    ]);
    world.put(
      '/ci/github-token',
      github.createToken({ repositories: ['acme/lib'], administration: 'write' }),
    );
    const { instanceId, ports } = instance;
    world.aws.sessions.connectAgent({ account: ACCOUNT, region: REGION, instanceId, ports });
    return new HostGround({ world, git, key, instance, github });
  }

  async close(): Promise<void> {
    await this.#around.instance.stop();
    const { git, github, world } = this.#around;
    await Promise.all([git.stop(), github.stop(), world.stop()]);
  }

  async run({ step, trouble, promised }: HostRow): Promise<LocalOutcome> {
    const { run, before = ':', again = run, after = ':' } = step;
    const host = await this.#openHost(step, trouble);
    try {
      const clean = await host.files();
      const first = await host.run(before);
      await host.byRoot(trouble.make ?? ':');
      const ended = await host.run(run, trouble.around);
      await host.byRoot(trouble.end ?? ':');
      const next = await host.run(again);
      await host.run(`${after}; "$AGENT" flush`);
      const files = await host.files();
      const left = [
        ...(await host.processes()),
        ...files.filter((path) => !clean.includes(path) && !/\/(\.cache|\.ssh)$/.test(path)),
      ];
      const wrong = [
        ...(first.code === 0 ? [] : [`before the trouble: ${first.stderr}`]),
        ...(next.code === 0 ? [] : [`after the trouble: ${next.code} ${next.stderr}`]),
        ...left.map((one) => `left: ${one}`),
      ];
      const isMute = trouble.isMute === true;
      const outcome = judge(ended, { promised, isMute, secrets: [this.#around.key.privateKey] });
      const late = ended.milliseconds > limit * 1000;
      return { ...outcome, late, wrong: [...outcome.wrong, ...wrong] };
    } finally {
      host.close();
    }
  }

  async #openHost(step: HostStep, trouble: LocalTrouble): Promise<LocalHost> {
    const stand = await Stand.open({
      ...{ disks: ['home', 'tmp'], folders: ['run', 'own'], trouble },
      mounts: (folder) => [`mount --bind '${folder}/run' /run/user`],
    });
    const { folder } = stand;
    // For what no row fills or closes.
    chmodSync(join(folder, 'own'), 0o777);
    writeFileSync(join(folder, 'known'), this.#around.git.knownHosts);
    const own = await makeSshKey();
    writeFileSync(join(folder, 'key'), own.privateKey, { mode: 0o644 });
    if (step.rotates === true) this.#register(rotatedIn(folder), own);
    const login = join(folder, 'own/login');
    writeFileSync(login, this.#around.key.privateKey, { mode: 0o600 });
    if (trouble.byUser === true) chownSync(login, user, user);
    return new LocalHost(stand, { ...this.#variables(folder), ...step.env });
  }

  #register(name: string, { privateKey, publicKey }: SshKey): void {
    this.#around.github.keys.add({ repository: 'acme/lib', title: name, key: publicKey, readOnly: false });
    this.#around.world.put(name, privateKey);
  }

  #variables(folder: string): Record<string, string> {
    const { address, port, user: gitUser } = this.#around.git;
    const helper = join(project, 'helper');
    return {
      ...this.#around.world.aws.environment({ metadata: true }),
      ...{ PATH: `${nodeFolder}:${process.env['PATH'] ?? ''}`, LANG: 'C.UTF-8' },
      ...{ FOLDER: folder, HOME: join(folder, 'home'), TMPDIR: join(folder, 'tmp') },
      ...{ GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', SSM_SSH_KEY: '/ci/key' },
      ...{ SSM_SSH_KNOWN_HOSTS: join(folder, 'known'), SSM_SSH_TIMEOUT: `${timeout}s` },
      ...{ SSM_SSH: join(helper, 'ssm-ssh'), AGENT: join(helper, 'ssm-ssh-agent') },
      ...{ CREDENTIAL: join(helper, 'git-credential-ssm'), GIT_SSH_COMMAND: join(helper, 'ssm-ssh') },
      ...{ ROTATED: rotatedIn(folder), API_URL: this.#around.github.url },
      ...{ URL: this.#around.git.url('acme/lib'), LOGIN: `-p ${port} ${gitUser}@${address}` },
      EC2: `${this.#around.instance.user}@${this.#around.instance.instanceId}`,
    };
  }
}

const rotatedIn = (folder: string): string => `/ci/${basename(folder)}`;

class LocalHost {
  readonly #stand: Stand;
  readonly #env: Readonly<Record<string, string>>;

  constructor(stand: Stand, env: Readonly<Record<string, string>>) {
    [this.#stand, this.#env] = [stand, env];
  }

  async run(script: string, around = '"$@"'): Promise<Ended> {
    const { folder, namespace, as } = this.#stand;
    const program = [...as, 'bash', '-c', around, 'bash', 'bash', '-c', script];
    return await namespace.run(program, { cwd: folder, env: this.#env });
  }

  async byRoot(script: string): Promise<Ended> {
    return await this.#stand.byRoot(script, this.#env);
  }

  async files(): Promise<string[]> {
    return await this.#stand.files();
  }

  async processes(): Promise<string[]> {
    const { folder } = this.#stand;
    return await stillThere(() =>
      runningProcesses().flatMap(({ command }) => (command.includes(folder) ? [command] : [])),
    );
  }

  close(): void {
    const { folder } = this.#stand;
    // Before the folder goes, in which they would write.
    endAll(() =>
      runningProcesses().filter(({ command, environment }) => `${command} ${environment}`.includes(folder)),
    );
    this.#stand.close();
  }
}
