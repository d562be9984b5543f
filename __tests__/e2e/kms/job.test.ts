/** Keys that stay in KMS, in a job: the built action, real ssh, sshd, git and ssh-agent. */
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { authorizedKeysLine } from '../../../src/keys/public-key.ts';
import { readSpki } from '../../../src/keys/spki.ts';
import {
  ACCOUNT,
  allow,
  REGION,
  startReadyWorld,
  trustGitHub,
  type ReadyWorld,
} from '../../support/aws/world.ts';
import { openStage, told, type Stage } from '../stage.ts';
import { startCertifiedHost, type CertifiedHost } from '../../support/certified-host.ts';
import type { Job } from '../../support/runner/job.ts';
import { itInTurn as it } from '../../support/parts.ts';

const place = { account: ACCOUNT, region: REGION };
const role = `arn:aws:iam::${ACCOUNT}:role/signing`;
const specs = { rsa: 'RSA_2048', p256: 'ECC_NIST_P256', ed25519: 'ECC_NIST_EDWARDS25519' } as const;
const names = Object.keys(specs) as (keyof typeof specs)[];

describe('keys in KMS', () => {
  let stage: Stage;
  let world: ReadyWorld;
  let certified: CertifiedHost;

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld()]);
    const { signingKeys, iam } = world.aws;
    world.put('/ci/deploy-key', stage.key.privateKey);
    iam.createRole({
      arn: role,
      trustPolicy: trustGitHub(),
      policies: [
        allow(['kms:GetPublicKey', 'kms:Sign'], `arn:aws:kms:${REGION}:${ACCOUNT}:key/*`),
        allow(['ssm:GetParameter', 'ssm:GetParameters'], '*'),
      ],
    });
    for (const name of names) {
      const arn = signingKeys.create({ ...place, spec: specs[name], alias: `alias/${name}` });
      await stage.host.createRepository(`acme/${name}`);
      stage.host.addDeployKey({ repository: `acme/${name}`, publicKey: publicKeyOf(arn), write: true });
    }
    const ca = signingKeys.create({ ...place, alias: 'alias/ca' });
    certified = await startCertifiedHost({ authorities: [publicKeyOf(ca)], principals: ['deploy'] });
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop(), certified.stop()]);
  });

  function publicKeyOf(arn: string): string {
    const { privateKey } = world.aws.signingKeys.get(arn);
    const der = privateKey && createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    const publicKey = der && readSpki(der);
    if (!publicKey) throw new Error('not a key of SSH');
    return authorizedKeysLine({ ...publicKey, comment: '' });
  }
  const signatures = (): number => world.aws.calls.filter(({ operation }) => operation === 'kms:Sign').length;
  const host = (): string => `${stage.host.address}:${String(stage.host.port)}`;
  const inputs = (more: Record<string, string> = {}): Record<string, string> => ({
    keys: [
      ...names.map((name) => `kms:alias/${name} ${host()}/acme/${name}`),
      `/ci/deploy-key ${host()}/acme/lib`,
    ].join('\n'),
    'aws-region': REGION,
    'role-to-assume': role,
    'known-hosts': stage.host.knownHosts,
    ...more,
  });

  it('clone and push four repositories, each by its own key, and post leaves nothing', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: inputs() });
    expect(told(main).text).toBe('');
    const steps = [...names, 'lib'].map(
      (name) => `git clone --quiet ${stage.host.url(`acme/${name}`)} ${name} && cd ${name} &&
        git -c user.name=ci -c user.email=ci@acme.test commit --quiet --allow-empty -m "${name}" &&
        git push --quiet origin HEAD && cd ..`,
    );
    const { log, exitCode } = await job.run(`set -e\n${steps.join('\n')}\nssh-add -l`);
    expect([exitCode, log]).toEqual([0, expect.stringContaining('ED25519')]);
    expect(log.trim().split('\n')).toHaveLength(4);
    expect(signatures()).toBe(6);
    const { posts, leftoverProcesses } = await job.finish();
    expect([told(main).text, leftoverProcesses, job.files()]).toEqual(['', [], []]);
    const told6 = posts[0]?.log.match(/ signed a login as \S+ at \[127\.0\.0\.1\]:\d+ by \S+/g);
    expect(told6).toHaveLength(6);
    expect(posts[0]?.summary).toContain('| `kms:alias/rsa` |');
  });

  it('sign commits and tags, which git verifies by our allowed signers', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const keys = `kms:alias/ed25519 ${host()}`;
    expect(told(await job.uses({ with: inputs({ keys, 'git-signing': 'true' }) })).text).toBe('');
    const { log } = await job.run(`
      git init --quiet signed && cd signed
      git -c user.name=ci -c user.email=ci@acme.test commit --quiet --allow-empty -m signed
      git log -1 --show-signature --format=%G?`);
    expect(log).toContain('Good "git" signature for * with ED25519 key SHA256:');
    expect(log).toContain('\nG\n');
  });

  it('serve a plain ssh, which knows SSH_AUTH_SOCK alone', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    await job.uses({ with: inputs({ keys: `kms:alias/rsa ${host()}` }) });
    const KNOWN = `${job.home}/known`;
    const ssh = `ssh -F none -o UserKnownHostsFile='${KNOWN}'`;
    const { log, exitCode } = await job.run(
      `echo '${stage.host.knownHosts}' > "$KNOWN"; unset GIT_SSH_VARIANT SSH_AGENT_PID
      GIT_SSH_COMMAND="${ssh}" git ls-remote ${stage.host.url('acme/rsa')} main; rm "$KNOWN"`,
      { env: { KNOWN } },
    );
    expect([exitCode, log]).toEqual([0, expect.stringContaining('refs/heads/main')]);
    const { posts } = await job.finish();
    expect(posts[0]?.log).toMatch(/kms:alias\/rsa: signed a login as \S+ at \S+ by rsa-sha2-(256|512)/);
  });

  it('are refused for another host than that of their line, and post says so', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    await job.uses({ with: inputs({ keys: 'kms:alias/p256 github.com' }) });
    const before = signatures();
    const ssh = `GIT_SSH_COMMAND="ssh -o UserKnownHostsFile='$KNOWN'" git ls-remote ${stage.host.url('acme/p256')}`;
    const KNOWN = `${job.home}/known`;
    const { log } = await job.run(`echo '${stage.host.knownHosts}' > "$KNOWN"; ${ssh} 2>&1; rm "$KNOWN"`, {
      env: { KNOWN },
    });
    expect(log).toContain('Permission denied (publickey)');
    expect(signatures()).toBe(before);
    const { posts } = await job.finish();
    expect(posts[0]?.log).toMatch(/kms:alias\/p256: refused a login .*SIGNATURE_REFUSED/);
  });

  it('of an alias that has moved sign nothing until they are loaded again', async () => {
    const { signingKeys } = world.aws;
    const [one, other] = [1, 2].map(() => signingKeys.create(place));
    signingKeys.setAlias(place, 'alias/moving', one ?? '');
    const job = stage.job({ env: world.jobEnvironment() });
    await stage.host.createRepository('acme/moving');
    stage.host.addDeployKey({ repository: 'acme/moving', publicKey: publicKeyOf(one ?? '') });
    await job.uses({ with: inputs({ keys: `kms:alias/moving ${host()}` }) });
    const read = `git ls-remote ${stage.host.url('acme/moving')} 2>&1`;
    expect((await job.run(read)).log).toContain('refs/heads/main');
    signingKeys.setAlias(place, 'alias/moving', other ?? '');
    expect((await job.run(`${read} || true`)).log).toContain('Permission denied');
    const { posts } = await job.finish();
    expect(posts[0]?.log).toContain('is another KMS key now');
  });

  it('certify a key that is made for the job, for its principals alone', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const at = `127.0.0.1:${String(certified.port)}`;
    const knownHosts = certified.knownHosts;
    const line = `new:ed25519 ca=kms:alias/ca principals=deploy force-command=echo%20forced ${at}`;
    const main = await job.uses({ with: inputs({ keys: line, 'known-hosts': knownHosts }) });
    expect(told(main).text).toBe('');
    const ssh = `ssm-ssh -p ${String(certified.port)} ${certified.user}@127.0.0.1 true 2>&1`;
    expect(
      (
        await job.run(
          `${ssh}; ssh-add -L > "$RUNNER_TEMP/c"; ssh-keygen -L -f "$RUNNER_TEMP/c"; rm "$RUNNER_TEMP/c"`,
        )
      ).log,
    ).toMatch(
      /^forced\n[^]*Key ID: "github:acme\/app:run \d+:attempt 1"[^]*deploy\n[^]*force-command echo forced/,
    );
    const stranger = stage.job({ env: world.jobEnvironment() });
    await stranger.uses({
      with: inputs({ keys: line.replace('=deploy', '=other'), 'known-hosts': knownHosts }),
    });
    expect((await stranger.run(`${ssh} || true`)).log).toContain('Permission denied');
  });

  it.each([
    ['that do not exist', 'kms:alias/nowhere', 'KEY_NOT_FOUND'],
    ['that cannot sign', 'kms:alias/symmetric', 'KEY_UNSUPPORTED'],
    ['that the role may not use', 'arn:aws:kms:eu-west-1:444455556666:alias/theirs', 'KEY_ACCESS_DENIED'],
  ])('%s fail the step, which leaves nothing', async (_, key, code) => {
    world.aws.signingKeys.create({
      ...place,
      spec: 'SYMMETRIC_DEFAULT',
      usage: 'ENCRYPT_DECRYPT',
      alias: 'alias/symmetric',
    });
    world.aws.signingKeys.create({ ...place, account: '444455556666', alias: 'alias/theirs' });
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: inputs({ keys: `${key} ${host()}\n/ci/deploy-key` }) });
    expect(told(main).code).toBe(code);
    expect(told(main).text).toContain(key);
    const { leftoverProcesses } = await job.finish();
    expect([leftoverProcesses, job.files()]).toEqual([[], []]);
  });

  /** Fifty signatures at once: how many clients got one, how many did not, and the milliseconds of the slowest. */
  async function signFifty(job: Job): Promise<readonly number[]> {
    const { log } = await job.run(`mkdir signing && cd signing && ssh-add -L > key.pub
      for i in $(seq 50); do
        (since=$(date +%s%3N); echo $i | ssh-keygen -q -Y sign -n git -f key.pub > $i.sig 2>/dev/null || true
        echo $(($(date +%s%3N) - since)) > $i.took) &
      done; wait
      grep -l 'BEGIN SSH SIGNATURE' *.sig | wc -l; find . -name '*.sig' -empty | wc -l; sort -n *.took | tail -1
      cd ..; rm -r signing`);
    return log.trim().split('\n').map(Number);
  }
  /** Milliseconds: ten seconds for a signature, and the start of fifty programs at once. */
  const longest = 15_000;

  it('sign for fifty that ask at once while KMS throttles every second call', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    expect(told(await job.uses({ with: inputs({ keys: `kms:alias/p256 ${host()}` }) })).text).toBe('');
    const before = signatures();
    for (let call = 0; call < 200; call++)
      world.aws.faults.order({ operation: 'kms:Sign', fault: 'throttling', times: 1, skip: 2 * call });
    const [signed, refused, slowest] = await signFifty(job);
    world.aws.faults.clear();
    const { posts } = await job.finish();
    expect([signed, refused, posts[0]?.log.match(/ failed .*/g)]).toEqual([50, 0, null]);
    expect(slowest).toBeLessThan(longest);
    expect(signatures() - before).toBeGreaterThanOrEqual(99);
    expect(posts[0]?.log.match(/ signed a signature of git by /g)).toHaveLength(50);
  });

  it('say of each of fifty why there is no signature, in time, where KMS throttles every call', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    expect(told(await job.uses({ with: inputs({ keys: `kms:alias/p256 ${host()}` }) })).text).toBe('');
    world.aws.faults.order({ operation: 'kms:Sign', fault: 'throttling' });
    const [signed, refused, slowest] = await signFifty(job);
    world.aws.faults.clear();
    const { posts } = await job.finish();
    expect([signed, refused]).toEqual([0, 50]);
    expect(slowest).toBeLessThan(longest);
    expect(posts[0]?.log.match(/ failed a signature of git: THROTTLED kms in /g)).toHaveLength(50);
  });

  it('are the only reason for a process of ours in a job', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: inputs({ keys: '/ci/deploy-key' }) });
    const pid = main.outputs['ssh-agent-pid'] ?? '';
    expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('ssh-agent\n');
    const { log } = await job.run('ls "$RUNNER_TEMP"/ssm-ssh-agent-*');
    expect(log).not.toMatch(/^(back|control)$/m);
  });
});
