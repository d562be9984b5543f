/** git-credential-ssm in a foreign folder: the repository's configuration has no effect. */
import { appendFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { ACCOUNT, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { Ec2Host, launchInstance, project } from '../../support/ec2-host.ts';
import { itInTurn as it } from '../../support/parts.ts';

const helper = join(project, 'helper/git-credential-ssm');
const evil = 'arn:aws:iam::444455556666:role/evil';
const token = 'ghp_0123456789abcdefghij';

describe("a repository's own configuration", () => {
  let world: ReadyWorld;
  let host: Ec2Host;
  let repository: string;

  beforeAll(async () => {
    world = await startReadyWorld();
    launchInstance(world);
    world.put('/ci/token', token);
  });
  afterAll(async () => {
    await world.stop();
  });
  beforeEach(() => {
    world.aws.forgetCalls();
    host = new Ec2Host(world, []);
    host.configure(['[ssm "github.com/acme"]', 'credential = /ci/token']);
    repository = join(host.home, 'cloned/embedded');
    execFileSync('git', ['init', '--quiet', '--bare', repository]);
  });
  afterEach(() => {
    host.dispose();
  });

  const says = (...lines: string[]): void => {
    appendFileSync(join(repository, 'config'), `${lines.join('\n')}\n`);
  };
  const ask = async (
    operation: string,
    request: readonly string[],
    env: Record<string, string> = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> => {
    const input = `${['protocol=https', ...request].join('\\n')}\\n\\n`;
    const script = `cd ${repository}; printf '${input}' | ${helper} ${operation}`;
    const { code, stdout, stderr } = await host.run(script, env);
    return { code, stdout, stderr };
  };
  const acme = ['host=github.com', 'path=acme/lib'];
  const asked = (): unknown =>
    world.aws.calls
      .filter(({ service }) => service !== 'imds')
      .map(({ service, region }) => `${service} ${region ?? ''}`);

  it('gives no token to a host of its choice', async () => {
    says('[ssm "evil.example"]', 'credential = /ci/token', '[ssm "*.example"]', 'credential = /ci/token');
    expect(await ask('get', ['host=evil.example', 'path=x'])).toEqual({
      code: 0,
      stdout: '',
      stderr:
        "git-credential-ssm: warning: ssm.*.credential of the repository's own configuration is ignored: write it with git config --global or --system\n",
    });
    expect(world.aws.calls).toEqual([]);
  });

  it('cannot choose another token, user, Region or role', async () => {
    says('[ssm]', `roleArn = ${evil}`, 'region = eu-central-1', 'timeout = 1ms');
    says('[ssm "github.com/acme"]', 'credential = /evil', 'username = evil', `roleArn = ${evil}`);
    const { code, stdout } = await ask('get', acme);
    expect([code, stdout]).toEqual([0, `username=x-access-token\npassword=${token}\n`]);
    expect(asked()).toEqual([`ssm ${REGION}`]);
  });

  it('cannot cause a typed password to be stored', async () => {
    says('[ssm]', 'storePrefix = /evil', 'kmsKeyId = alias/evil', `roleArn = ${evil}`);
    const typed = ['host=example.com', 'username=me', 'password=typed'];
    for (const operation of ['store', 'erase', 'get'])
      expect(await ask(operation, typed)).toMatchObject({ code: 0, stdout: '' });
    expect(world.aws.calls).toEqual([]);
    expect(world.aws.parameters.under({ account: ACCOUNT, region: REGION }, '/evil/')).toEqual([]);
  });

  it('cannot fake another scope with a line end in a value, a worktree or GIT_DIR', async () => {
    says('[ssm]', 'key = "x\\nglobal\\tssm.evil.example.credential /ci/token"');
    says('[extensions]', 'worktreeConfig = true');
    appendFileSync(join(repository, 'config.worktree'), '[ssm "evil.example"]\ncredential = /ci/token\n');
    for (const env of [{}, { GIT_DIR: repository }])
      expect((await ask('get', ['host=evil.example'], env)).stdout).toBe('');
    expect(world.aws.calls).toEqual([]);
  });

  it('does not hide other settings, even if it cannot be read, or git is too old for scopes', async () => {
    const answer = { code: 0, stdout: `username=x-access-token\npassword=${token}\n`, stderr: '' };
    const git = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
    const older = `#!/bin/sh\nfor word; do [ "$word" != --show-scope ] || exit 129; done\nexec ${git} "$@"\n`;
    await host.run(`mkdir bin; printf %s "$OLDER" >bin/git; chmod +x bin/git`, { OLDER: older });
    const PATH = `${host.home}/bin:${host.env['PATH'] ?? ''}`;
    expect(await ask('get', acme, { PATH })).toEqual(answer);
    says('[ssm "evil.example"]', 'credential = /ci/token');
    expect((await ask('get', ['host=evil.example'], { PATH })).stdout).toBe('');
    says('[[');
    expect(await ask('get', acme)).toEqual(answer);
  });

  it('is distinguished from the environment, which counts', async () => {
    const env = {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'ssm.git.example.com.credential',
      GIT_CONFIG_VALUE_0: '/ci/token',
    };
    expect((await ask('get', ['host=git.example.com'], env)).stdout).toContain(token);
  });
});
