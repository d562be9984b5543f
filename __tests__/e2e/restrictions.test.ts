import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { startGitHost, type GitHost } from '../support/git-host/git-host.ts';
import { openStage, repository, told, type Stage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('restrict-to-hosts', () => {
  let stage: Stage;
  let world: ReadyWorld;
  let other: GitHost;

  beforeAll(async () => {
    [stage, world, other] = await Promise.all([openStage(), startReadyWorld(), startGitHost()]);
    world.put('/ci/deploy-key', stage.key.privateKey);
    await other.createRepository(repository);
    other.addDeployKey({ repository, publicKey: stage.key.publicKey });
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop(), other.stop()]);
  });

  const place = (host: GitHost): string => `${host.address}:${String(host.port)}`;
  const inputs = (more: Record<string, string> = {}): Record<string, string> => ({
    keys: `/ci/deploy-key ${place(stage.host)}`,
    'aws-region': REGION,
    'role-to-assume': ROLE_ARN,
    'known-hosts': stage.host.knownHosts + other.knownHosts,
    'restrict-to-hosts': 'true',
    ...more,
  });
  /** By the agent alone, past our routes: it is the agent that refuses. */
  const reach = (host: GitHost): string =>
    `GIT_SSH_COMMAND="ssh -o UserKnownHostsFile='$KNOWN'" git ls-remote ${host.url(repository)} 2>&1 || true`;

  it('lets the agent serve a host that is named, and refuse one that is not', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: inputs() });
    expect(told(main).text).toBe('');
    const env = { KNOWN: main.outputs['known-hosts-file'] ?? '' };
    expect((await job.run(reach(stage.host), { env })).log).toContain('refs/heads/main');
    expect((await job.run(reach(other), { env })).log).toContain('Permission denied (publickey)');
    expect((await job.run(`git ls-remote ${stage.host.url(repository)}`)).log).toContain('refs/heads/main');
  });

  it('gives a key that two lines name the hosts of both', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const keys = `/ci/deploy-key ${place(stage.host)}\n/ci/deploy-key:1 ${place(other)}`;
    await job.uses({ with: inputs({ keys }) });
    const { log } = await job.run(
      [stage.host, other].map((host) => `git ls-remote ${host.url(repository)}`).join('\n'),
    );
    expect(log.match(/refs\/heads\/main/g)?.length).toBe(2);
  });

  it('restricts a key that names no repository to the pinned hosts', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: inputs({ keys: '/ci/deploy-key' }) });
    expect(told(main).text).toBe('');
    expect((await job.run(`git ls-remote ${stage.host.url(repository)} 2>&1 || true`)).log).toContain(
      'Permission denied',
    );
  });

  it.each([
    [
      'a host without a known key',
      { 'known-hosts': '' },
      'KNOWN_HOSTS_INVALID',
      /no key is known for the host \[127/,
    ],
    [
      'a wildcard',
      { keys: '/ci/deploy-key *.example.com' },
      'KNOWN_HOSTS_INVALID',
      /restrict-to-hosts does not work for .*\*\.example\.com/,
    ],
    [
      'lax host keys',
      { 'strict-host-key-checking': 'no' },
      'INPUT_INVALID',
      /restrict-to-hosts .*strict-host-key-checking/,
    ],
    ['signing', { 'git-signing': 'true' }, 'INPUT_INVALID', /restrict-to-hosts .*git-signing/],
  ])('cannot hold with %s, and nothing is loaded then', async (...[, more, code, text]) => {
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: inputs(more) });
    expect(told(main).code).toBe(code);
    expect(told(main).text).toMatch(text);
    expect([job.processes(), job.files()]).toEqual([[], []]);
  });
});
