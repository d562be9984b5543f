import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { startBackend, type Backend } from '../../support/backend.ts';
import { gitSteps, openStage, repository, type Stage } from '../stage.ts';
import { itInTurn as it } from '../../support/parts.ts';

describe('the main job', () => {
  let stage: Stage;
  let aws: Backend;

  beforeAll(async () => {
    [stage, aws] = await Promise.all([openStage(), startBackend()]);
    await aws.put('/ci/deploy-key', stage.key.privateKey);
  });
  afterAll(async () => {
    await Promise.all([stage.close(), aws.stop()]);
  });

  const inputs = (): Record<string, string> => ({
    keys: '/ci/deploy-key',
    'aws-region': aws.region,
    'role-to-assume': aws.roleArn,
    'known-hosts': stage.host.knownHosts,
  });

  it('clones, pushes and fetches by a key that came through OIDC, STS and Parameter Store', async () => {
    const job = stage.job({ env: aws.jobEnvironment() });
    const main = await job.uses({ with: inputs() });
    expect(main.annotations).toEqual([]);
    expect(main.outcome).toBe('success');

    const git = await job.run(gitSteps(stage.host));
    expect(git.log).toContain('## main...origin/main\n');
    const accepted = (await stage.host.log()).map(({ accepted: key, verdict }) => [key, verdict]);
    expect(accepted).toEqual(Array(3).fill([stage.key.fingerprint, 'allowed']));
  });

  it('tells the next steps where the agent is, by variables and by outputs', async () => {
    const job = stage.job({ env: aws.jobEnvironment() });
    const { env, outputs, paths, log } = await job.uses({ with: inputs() });
    const { SSH_AUTH_SOCK: socket = '', SSH_AGENT_PID: pid = '' } = env;
    expect(socket.startsWith(job.temp)).toBe(true);
    expect(env).toEqual({
      SSH_AUTH_SOCK: socket,
      SSH_AGENT_PID: pid,
      GIT_SSH_COMMAND: `${paths.join()}/ssm-ssh`,
      GIT_SSH_VARIANT: 'ssh',
    });
    const [type, blob] = stage.key.publicKey.split(' ');
    expect(outputs).toEqual({
      'ssh-auth-sock': socket,
      'ssh-agent-pid': pid,
      'git-ssh-command': env['GIT_SSH_COMMAND'],
      'known-hosts-file': socket.replace(/agent$/, 'known_hosts'),
      fingerprints: JSON.stringify([stage.key.fingerprint]),
      'public-keys': `${type ?? ''} ${blob ?? ''} deploy@acme`,
      'aws-account-id': aws.account,
    });
    expect(log.split('\n')).toEqual([
      'asking GitHub for an OIDC token',
      expect.stringMatching(/^assuming arn:aws:iam::\d+:role\/ci as acme-app-\d+-1$/),
      expect.stringMatching(/^sts is asked at http:\/\/127\.0\.0\.1:\d+, which is not AWS's own endpoint$/),
      'reading a key from Parameter Store',
      `/ci/deploy-key (version 1): ssh-ed25519 ${stage.key.fingerprint}`,
      '',
    ]);

    const listed = await job.run('ssh-add -l; kill -0 "$SSH_AGENT_PID" && command -v ssm-ssh');
    expect(listed.log).toContain(`256 ${stage.key.fingerprint} deploy@acme (ED25519)`);
    expect(listed.log).toContain(env['GIT_SSH_COMMAND']);
  });

  it('leaves no process, no socket, no file and no agent behind', async () => {
    const job = stage.job({ env: aws.jobEnvironment() });
    const main = await job.uses({ with: inputs() });
    await job.run(gitSteps(stage.host));
    expect(job.files().length).toBeGreaterThan(0);
    expect(job.processes().map(({ pid }) => String(pid))).toContain(main.outputs['ssh-agent-pid']);

    const { posts, leftoverProcesses } = await job.finish();
    expect(posts.map(({ outcome, annotations }) => [outcome, annotations])).toEqual([['success', []]]);
    expect(leftoverProcesses).toEqual([]);
    expect(job.files()).toEqual([]);
  });

  it('reaches nothing that the key is not for', async () => {
    const job = stage.job({ env: aws.jobEnvironment() });
    await stage.host.createRepository('acme/other');
    await job.uses({ with: inputs() });
    const git = await job.run(
      `git clone ${stage.host.url('acme/other')} || git ls-remote ${stage.host.url(repository)}`,
    );
    expect(git.log).toContain('Repository not found.');
    expect(git.log).toContain('refs/heads/main');
  });
});
