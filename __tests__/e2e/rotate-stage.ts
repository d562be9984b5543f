/** For tests of rotate: AWS with a role that has the documented permissions, GitHub's API, and a git host behind it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { kmsKeyStatements } from '../../src/aws/kms-policy.ts';
import { documentOf } from '../../src/aws/statement.ts';
import { parseKeyReference, type KmsReference } from '../../src/keys/key-reference.ts';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import { parsePolicy } from '../support/aws/iam/policy-document.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { startGitHost, type GitHost } from '../support/git-host/git-host.ts';
import type { HostedKeys } from '../support/git-host/hosted-keys.ts';
import { startGitHubApi, type GitHubApi } from '../support/github/github-api.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { openEc2Host, type Ec2Host, type Ended, type Started } from './ec2-host.ts';

export const name = '/ci/deploy-key';
const place = { account: ACCOUNT, region: REGION };
const parameter = (path: string): string => `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter${path}`;
const secret = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:ci/deploy-??????`;

const { Statement: forKms } = documentOf(
  kmsKeyStatements([parseKeyReference('kms:alias/deploy') as KmsReference], 'rotate', {
    partition: 'aws',
    ...place,
  }),
);

/** As docs/rotate.md and `policy --for rotate` have them. */
export const policies = [
  allow(
    [
      ...['ssm:GetParameter', 'ssm:GetParameterHistory', 'ssm:PutParameter'],
      ...['ssm:LabelParameterVersion', 'ssm:UnlabelParameterVersion'],
    ],
    parameter(name),
  ),
  allow(['ssm:GetParameter', 'ssm:PutParameter', 'ssm:DeleteParameter'], parameter(`${name}.next`)),
  allow('ssm:GetParameter', parameter('/rotate/github-token')),
  allow(
    [
      ...['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
      'secretsmanager:UpdateSecretVersionStage',
    ],
    secret,
  ),
  parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: forKms }), 'permission'),
];

export class RotateStage {
  host!: Ec2Host;
  git!: GitHost;
  github!: GitHubApi;
  old!: SshKey;
  stranger!: SshKey;
  /** For a rotation that a test makes by itself. */
  next!: SshKey;
  #env: Record<string, string> = {};

  async open(): Promise<void> {
    [this.old, this.stranger, this.next] = await Promise.all([
      makeSshKey({ comment: 'deploy@acme' }),
      makeSshKey(),
      makeSshKey(),
    ]);
  }

  async start(): Promise<void> {
    [this.host, this.git] = await Promise.all([openEc2Host(), startGitHost()]);
    this.github = await startGitHubApi({ deployKeys: { git: this.git } });
    await this.git.createRepository('acme/lib');
    const { old, stranger, github, host } = this;
    const common = { repository: 'acme/lib', readOnly: false };
    github.keys.add({ ...common, title: 'CI 2025-01-31', key: old.publicKey });
    // A title says nothing about the key.
    github.keys.add({ ...common, title: `CI (${name}) 2025-01-31`, key: stranger.publicKey, readOnly: true });
    host.world.put(name, old.privateKey);
    const token = github.createToken({ repositories: ['acme/lib'], administration: 'write' });
    host.world.put('/rotate/github-token', token);
    const userArn = `arn:aws:iam::${ACCOUNT}:user/rotation`;
    const { aws } = host.world;
    const credentials = aws.iam.createAccessKey({ userArn, policies });
    this.#env = { ...aws.environment({ credentials }), AWS_REGION: REGION };
    writeFileSync(join(host.folder, 'known_hosts'), this.git.knownHosts);
  }

  async stop(): Promise<void> {
    await Promise.all([this.host.close(), this.git.stop(), this.github.stop()]);
  }

  get keys(): HostedKeys {
    return this.github.keys;
  }
  get url(): string {
    return this.git.url('acme/lib');
  }
  /** The options with which rotate finds GitHub. */
  get options(): string[] {
    const api = ['--api-url', this.github.url, '--token', '/rotate/github-token'];
    return ['--github-repo', 'acme/lib', ...api, ...this.testing];
  }
  get testing(): string[] {
    return ['--test', this.url, '--known-hosts', 'known_hosts'];
  }
  get versions() {
    return this.host.world.aws.parameters.find(place, name)?.versions ?? [];
  }

  rotate(...more: string[]): Promise<Ended> {
    return this.run([name, ...this.options, ...more]);
  }
  run(args: readonly string[]): Promise<Ended> {
    return this.startRun(args).ended;
  }
  /** @param program the words that start ssm-ssh-agent */
  rotateIn(program: readonly string[], ...more: string[]): Promise<Ended> {
    const args = ['rotate', name, ...this.options, ...more];
    return this.host.start([...program, ...args], { env: this.#env }).ended;
  }
  startRun(args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
    return this.host.startAgent(['rotate', ...args], { env: { ...this.#env, ...env } });
  }

  /** The public key of a parameter's latest version, or of the version with a label. */
  publicKey(of = name, label?: string): string | undefined {
    const text = this.#text(of, label);
    if (text === undefined) return undefined;
    return authorizedKeysLine({ ...parsePrivateKey(text, of).publicKey, comment: '' });
  }
  /** The parameter's latest version. */
  get privateKey(): string {
    return this.#text(name) ?? '';
  }
  #text(of: string, label?: string): string | undefined {
    const { parameters } = this.host.world.aws;
    const found = parameters.find(place, of);
    const version = found?.versions.findLast(({ labels }) => label === undefined || labels.has(label));
    return found && version && parameters.reveal(version, found.arn);
  }
  /** The whole text of a secret's version with this staging label. */
  secretText(stage: string): string | undefined {
    const { secrets } = this.host.world.aws;
    const found = secrets.find(place, 'ci/deploy');
    const version = found?.versions.find(({ stages }) => stages.has(stage));
    return found && version && String(secrets.reveal(version, found.arn));
  }
  get secretVersions() {
    return this.host.world.aws.secrets.find(place, 'ci/deploy')?.versions ?? [];
  }
  get staged(): string | undefined {
    return this.publicKey(`${name}.next`);
  }
  /** `TYPE BASE64` of the key before the rotation. */
  get oldPublicKey(): string {
    return this.old.publicKey.split(' ').slice(0, 2).join(' ');
  }
  /** The public keys of the repository on GitHub, but for the stranger's. */
  get registered(): string[] {
    const theirs = this.stranger.publicKey.split(' ').slice(0, 2).join(' ');
    return this.keys.of('acme/lib').flatMap(({ key }) => (key === theirs ? [] : [key]));
  }

  /** Whether the host opens the repository to a private key. */
  async opens(privateKey: string): Promise<boolean> {
    const file = join(this.host.folder, 'probe');
    writeFileSync(file, privateKey, { mode: 0o600 });
    const ssh = `ssh -F none -i ${file} -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile=known_hosts`;
    const env = { GIT_SSH_COMMAND: ssh, GIT_SSH_VARIANT: 'ssh' };
    const { ended } = this.host.start(['git', 'ls-remote', '--quiet', this.url], { env });
    return (await ended).exitCode === 0;
  }
}

/** Opens stages with the same keys. The test stops them. */
export function useKeys(): () => Promise<RotateStage> {
  const first = new RotateStage();
  beforeAll(() => first.open());
  return async () => {
    const stage = new RotateStage();
    Object.assign(stage, { old: first.old, stranger: first.stranger, next: first.next });
    await stage.start();
    return stage;
  };
}

/** For each test new servers, and the same keys for all. After it, the stranger's key is still there, and nothing is left. */
export function useRotateStage(): RotateStage {
  const stage = new RotateStage();
  beforeAll(() => stage.open());
  beforeEach(() => stage.start());
  afterEach(async () => {
    const left = stage.host.leftovers();
    const kept = stage.keys.has(stage.stranger.publicKey);
    await stage.stop();
    expect([left, kept]).toEqual([[], true]);
  });
  return stage;
}
