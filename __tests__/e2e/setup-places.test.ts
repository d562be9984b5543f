/** What setup says of the places of files: of the program, and of known hosts. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { openEc2Host, type Ec2Host, type Ended } from './ec2-host.ts';
import { actionPath } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';
import { programsNode } from '../support/programs-node.ts';
import { makeSshKey } from '../support/ssh-keys.ts';

describe('ssm-ssh-agent setup', () => {
  let host: Ec2Host;

  beforeEach(async () => {
    host = await openEc2Host();
  });
  afterEach(async () => {
    expect(host.leftovers()).toEqual([]);
    await host.close();
  });

  const settings = (): string[] =>
    execFileSync('git', ['config', '--system', '--list'], {
      encoding: 'utf8',
      env: host.env,
      cwd: host.folder,
    })
      .trim()
      .split('\n');
  const key = ['--key', '/ci/deploy-key'];

  it.each(['.nvm/versions/node/v24.1.0/lib/node_modules/ssm-ssh-agent', '.npm/_npx/0123abcd/node_modules/x'])(
    'warns where the next upgrade of Node removes the program: %s',
    async (place) => {
      const installation = join(host.env['HOME'] ?? '', place);
      for (const name of ['helper', 'dist/programs', 'package.json'])
        cpSync(join(actionPath, name), join(installation, name), { recursive: true });
      const run = (...args: string[]): Promise<Ended> =>
        host.start([join(installation, 'helper/ssm-ssh-agent'), 'setup', '--global', ...key, ...args]).ended;
      const { exitCode, stderr } = await run();
      expect(exitCode).toBe(0);
      expect(stderr).toMatch(
        /\nssm-ssh-agent: warning: ssm-ssh-agent is in a folder of .* that an upgrade removes: .*\nhint: install it elsewhere .*\n$/,
      );
      expect((await run('--quiet')).stderr).toBe('');
    },
  );

  it('writes the file of known hosts by its whole path, and says where others cannot read it', async () => {
    const { publicKey } = await makeSshKey();
    const known = join(host.folder, 'git hosts');
    writeFileSync(known, `# mine\n[git.test]:2222 ${publicKey}\n`, { mode: 0o600 });
    const args = ['setup', '--system', '--known-hosts', 'git hosts'];
    const { exitCode, stdout, stderr } = await host.agent(args);
    expect([exitCode, stdout, settings()]).toEqual([
      ...[0, ''],
      [`ssm.knownhosts=${known}`, `ssm.node=${programsNode}`],
    ]);
    expect(stderr).toMatch(
      /warning: other users cannot read \/[^\n]*, and their ssh knows no host of .*git hosts: /,
    );
  });

  it('names the line of the file of known hosts that ssh would pass over', async () => {
    writeFileSync(join(host.folder, 'known'), 'git.test ssh-ed25519 AAAA\n');
    const { exitCode, stderr } = await host.agent(['setup', '--global', '--known-hosts=known']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /^ssm-ssh-agent: KNOWN_HOSTS_INVALID: --known-hosts \/.*\/known, line 1: the line has no ssh-ed25519 key .*\nhint: .*\n$/,
    );
    expect(existsSync(host.env['GIT_CONFIG_GLOBAL'] ?? '')).toBe(false);
  });
});
