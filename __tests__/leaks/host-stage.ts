/** A host with keys and tokens in AWS, on which programs run under strace. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch } from '../support/reachable-ec2.ts';
import { makeKmsKey, place } from '../e2e/kms/kms-keys.ts';
import { allow, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { Ec2Host, launchInstance, program, project } from '../support/ec2-host.ts';
import type { Ec2Instance } from '../support/ec2-instance.ts';
import { startGitHost, type GitHost } from '../support/git-host/git-host.ts';
import { endAll, runningProcesses } from '../support/runner/process-table.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { secretsOfKey, textOfKey } from './keys.ts';
import { leaksIn } from './leaks.ts';
import type { Secret } from './secrets.ts';
import { readTraces, tracing } from './trace.ts';
import { isTraced } from './traced-job.ts';

/** Stored as `/ci/token`, `/ci/passphrase`, `/ci/wrong`; the last one is typed to git-credential-ssm. */
const [token, passphrase, wrong, password] = [
  ...['ghp_0123456789abcdefghij', 'correct horse staple', 'wrong battery staple', 'typed pass word 17'],
] as [string, string, string, string];

const [key, locked, authority, given] = await Promise.all([
  makeSshKey(),
  makeSshKey({ passphrase }),
  makeSshKey(),
  makeSshKey(),
]);

export const agent = join(project, 'helper/ssm-ssh-agent');
export const credentialHelper = join(project, 'helper/git-credential-ssm');
export { program };

export class LeakStage {
  world!: ReadyWorld;
  git!: GitHost;
  host!: Ec2Host;
  /** For files that a situation reads: the key that `put` gets, and a credential that git typed. */
  folder!: string;
  instance: Ec2Instance | undefined;

  async open(): Promise<void> {
    [this.world, this.git] = await Promise.all([startReadyWorld(), startGitHost()]);
    await this.git.createRepository('acme/lib');
    const deployed = { repository: 'acme/lib', write: true };
    this.git.addDeployKey({ ...deployed, publicKey: key.publicKey });
    const { world, git } = this;
    launchInstance(world, [allow('*', '*')]);
    const signing = makeKmsKey(world, 'deploy');
    git.addDeployKey({ ...deployed, publicKey: signing.publicKey });
    const stored = { key: key.privateKey, locked: locked.privateKey, ca: authority.privateKey };
    for (const [name, value] of Object.entries({ ...stored, token, passphrase, wrong }))
      world.put(`/ci/${name}`, value);
    this.host = new Ec2Host(world, [git], { SSM_SSH_KEY: '/ci/key' });
    this.host.configure([]);
    this.folder = mkdtempSync(join(tmpdir(), 'leak-'));
    mkdirSync(join(this.folder, 'traces'));
    writeFileSync(join(this.folder, 'key'), given.privateKey, { mode: 0o600 });
    const credential = ['protocol=https', 'host=github.com', 'username=octo', `password=${password}`, ''];
    writeFileSync(join(this.folder, 'credential'), credential.join('\n'), { mode: 0o600 });
  }

  async close(): Promise<void> {
    this.host.dispose();
    await this.instance?.stop();
    await Promise.all([this.git.stop(), this.world.stop()]);
    rmSync(this.folder, { recursive: true });
  }

  get list(): string {
    return `git ls-remote ${this.git.url('acme/lib')}`;
  }

  /** Starts an EC2 instance. @returns `USER@ID` */
  async startInstance(): Promise<string> {
    this.instance = await launch(this.world);
    return `${this.instance.user}@${this.instance.instanceId}`;
  }

  /** Keys that a program stored in the situation. */
  get made(): string | undefined {
    const { parameters } = this.world.aws;
    const found = parameters.find(place, '/ci/made');
    const latest = found?.versions.at(-1);
    return found && latest && parameters.reveal(latest, found.arn);
  }

  /** @returns what the script said, its exit code, and each leak */
  async trace(
    name: string,
    { script, env, prints }: { script: string; env: Readonly<Record<string, string>>; prints: boolean },
  ): Promise<{ readonly said: string; readonly code: number; readonly leaks: readonly string[] }> {
    const { host, folder } = this;
    const argv = [...tracing(join(folder, 'traces/trace')), 'bash', '-e', '-c', script];
    const line = argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    // strace and the agents keep a pipe open.
    const [out, err] = [join(folder, 'traced.out'), join(folder, 'traced.err')];
    const { code } = await host.run(`exec ${line} >${out} 2>${err} </dev/null`, env);
    const files = [...host.files()].map(([path, text]) => [path, text] as const);
    await host.run(`${agent} flush`);
    endAll(() => this.#left());
    while (isTraced(folder)) await sleep(20);
    const [stdout, stderr] = [out, err].map((file) => readFileSync(file, 'latin1')) as [string, string];
    const texts = {
      ...Object.fromEntries(files),
      'the names of files': files.map(([path]) => path).join('\n'),
      stderr,
      ...(prints ? {} : { stdout }),
    };
    const calls = readTraces(join(folder, 'traces'));
    return { said: stderr, code, leaks: leaksIn({ name, calls, secrets: this.#secrets(prints), texts }) };
  }

  /** An agent's keeper sleeps for as long as a key lives. strace ends when they end. */
  #left(): readonly { readonly pid: number }[] {
    return runningProcesses().filter(
      ({ command, environment }) =>
        !command.includes('strace') && `${command} ${environment}`.includes(this.host.home),
    );
  }

  #secrets(prints: boolean): Secret[] {
    const { made } = this;
    return [
      ...secretsOfKey('the key', key.privateKey, ['agent']),
      textOfKey('the encrypted key', locked.privateKey, []),
      ...secretsOfKey('the authority', authority.privateKey, []),
      // put and keygen store them.
      ...secretsOfKey('the given key', given.privateKey, ['server']),
      ...(made === undefined ? [] : secretsOfKey('the made key', made, ['server'])),
      { name: 'the token', text: token, mayGo: prints ? ['stdout'] : [] },
      { name: 'the passphrase', text: passphrase, mayGo: [] },
      { name: 'the wrong passphrase', text: wrong, mayGo: [] },
      { name: 'the typed password', text: password, mayGo: ['server'] },
    ];
  }
}
