import { describe, expect } from '@jest/globals';
import { allow } from '../support/aws/world.ts';
import { startGitLabApi } from '../support/gitlab/gitlab-api.ts';
import { itInTurn as it } from '../support/parts.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { name, useRotateStage } from './rotate-stage.ts';

describe('the token of rotate', () => {
  const stage = useRotateStage();
  const putToken = (value: string): void => {
    stage.host.world.put('/rotate/github-token', value);
  };

  it('can be a GitHub App, whose token may only manage the settings of the repository', async () => {
    const app = stage.github.createApp();
    const permissions = { administration: 'write', contents: 'write', metadata: 'read' };
    stage.github.install(app, { owner: 'acme', repositories: ['lib', 'app'], permissions });
    putToken(app.stored({ permissions: { contents: 'write' }, repositories: ['lib', 'app'] }));
    expect((await stage.rotate()).exitCode).toBe(0);
    expect(stage.github.tokens).toMatchObject([
      { repositories: ['lib'], permissions: { administration: 'write' } },
    ]);
    putToken(app.stored({ repositories: ['app'] }));
    const { stderr } = await stage.rotate('--finish');
    expect(stderr).toContain('/rotate/github-token is not for acme/lib');
  });

  it('of a GitHub App without the permission names the permission', async () => {
    const app = stage.github.createApp();
    stage.github.install(app, { owner: 'acme', repositories: ['lib'] });
    putToken(app.stored());
    const { exitCode, stderr } = await stage.rotate();
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('"Administration" with write access')]);
    expect(stderr).toMatch(/^ssm-ssh-agent: PROVIDER_FAILED: /);
  });

  it('that may only read leaves everything as it was, but for the staged key', async () => {
    putToken(stage.github.createToken({ repositories: ['acme/lib'], administration: 'read' }));
    const { exitCode, stderr } = await stage.rotate();
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/CREDENTIAL_INVALID: .*\nhint: .*"Administration"/),
    ]);
    expect([stage.registered, stage.publicKey()]).toEqual([[stage.oldPublicKey], stage.oldPublicKey]);
    putToken(stage.github.createToken({ repositories: ['acme/lib'], administration: 'write' }));
    const staged = stage.staged;
    expect((await stage.rotate()).exitCode).toBe(0);
    expect(stage.publicKey()).toBe(staged);
  });

  it('does not help if the repository does not have the old key', async () => {
    stage.host.world.put(name, (await makeSshKey()).privateKey);
    const { exitCode, stderr } = await stage.rotate();
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining('has no deploy key that is the public key'),
    ]);
    expect(stage.keys.of('acme/lib')).toHaveLength(2);
  });

  it('for GitLab needs no --test: GitLab tells the address of the project', async () => {
    const project = { id: 7, path: 'acme/lib', sshUrl: stage.url };
    const gitlab = await startGitLabApi([project], { git: stage.git, delay: 500 });
    try {
      const key = await makeSshKey({ type: 'rsa' });
      gitlab.keys.delay = 0;
      gitlab.keys.add({
        repository: 'acme/lib',
        title: 'runner 2025-01-31',
        key: key.publicKey,
        readOnly: true,
      });
      gitlab.keys.delay = 500;
      stage.host.world.put(name, key.privateKey);
      putToken(gitlab.createToken());
      const options = ['--gitlab-project', '7', '--api-url', gitlab.url, '--token', '/rotate/github-token'];
      const rotate = (...more: string[]) =>
        stage.run([name, ...options, '--known-hosts', 'known_hosts', '--type', 'ed25519', ...more]);
      const rotated = await rotate();
      expect([rotated.stderr, rotated.exitCode]).toEqual([expect.stringContaining('read-only'), 0]);
      expect((await rotate('--finish')).exitCode).toBe(0);
      expect(gitlab.keys.of('acme/lib').map(({ key, readOnly }) => [key, readOnly])).toEqual([
        [stage.publicKey(), true],
      ]);
    } finally {
      await gitlab.stop();
    }
  });

  it('is not needed by hand, and every step names the permission that is missing', async () => {
    const { aws } = stage.host.world;
    const userArn = 'arn:aws:iam::111122223333:user/reader';
    const reader = aws.iam.createAccessKey({ userArn, policies: [allow('ssm:GetParameter', '*')] });
    const env = { AWS_ACCESS_KEY_ID: reader.accessKeyId, AWS_SECRET_ACCESS_KEY: reader.secretAccessKey };
    const { exitCode, stderr } = await stage.startRun([name], env).ended;
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('"Action":"ssm:GetParameterHistory"')]);
  });
});
