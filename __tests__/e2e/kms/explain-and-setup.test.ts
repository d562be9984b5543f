/** Keys in KMS and certificates in `explain` and `setup`, as they are in dist: neither asks AWS. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from '@jest/globals';
import { openEc2Host, launcher, type Ec2Host, type Ended } from '../ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { actionPath } from '../stage.ts';
import { kmsCalls, makeKmsKey, maySign } from './kms-keys.ts';

const url = 'git@github.com:acme/lib.git';

describeOnHost('keys that our agent signs with', () => {
  let host: Ec2Host;

  beforeEach(async () => {
    host = await openEc2Host([maySign]);
  });
  afterEach(async () => {
    expect(host.leftovers()).toEqual([]);
    await host.close();
  });

  const gitConfig = (): string => host.env['GIT_CONFIG_GLOBAL'] ?? '';
  const configure = (...lines: string[]): void => {
    const command = ['[core]', `sshCommand = ${join(actionPath, 'helper/ssm-ssh')}`];
    writeFileSync(gitConfig(), `${[...command, ...lines].join('\n')}\n`);
  };
  const explain = async (...args: string[]): Promise<Ended> => {
    const ended = await host.agent(['explain', ...args]);
    expect([ended.stderr, host.world.aws.calls]).toEqual(['', []]);
    return ended;
  };
  const settings = (): string[] =>
    execFileSync('git', ['config', '--global', '--list'], { encoding: 'utf8', env: { ...host.env } })
      .trim()
      .split('\n');

  it('are explained with their line, their agent, their hosts and rules', async () => {
    configure('[ssm "github.com/acme/lib"]', 'key = kms:alias/deploy', 'uses = 5', 'unbound = allow');
    const { stdout, exitCode } = await explain(url);
    expect([exitCode, stdout.trim().split('\n')]).toEqual([
      0,
      [
        'kms:alias/deploy is offered for github.com/acme/lib',
        'why: the section [ssm "github.com/acme/lib"] names it',
        `from: ssm.github.com/acme/lib.key, global, ${gitConfig()} line 4`,
        'signed by: our agent in front of ssh-agent; the key stays in KMS',
        'signs for: github.com; and clients that name no host (unbound=allow)',
        'ends: after 5 signatures (uses=5)',
      ],
    ]);
  });

  it('are explained to programs, with the certificate', async () => {
    configure(
      '[ssm "github.com/acme"]',
      ...['key = new:ed25519', 'ca = kms:alias/ca', 'principals = deploy', 'extensions = permit-pty'],
    );
    const { stdout } = await explain('--json', url);
    expect(JSON.parse(stdout)).toMatchObject({
      offered: true,
      keys: [
        {
          reference: 'new:ed25519',
          signing: {
            ...{
              privateKey: 'new',
              hosts: ['github.com'],
              unbound: 'refuse',
              forwarding: 'refuse',
              uses: null,
            },
            certificate: {
              ...{ authority: 'kms:alias/ca', principals: ['deploy'], valid: 900, forceCommand: null },
              extensions: ['permit-pty'],
            },
          },
        },
      ],
    });
  });

  it('are said to be refused for a host that they are not for, and where they are written wrong', async () => {
    configure('[ssm]', 'key = kms:alias/deploy');
    const { stdout, exitCode } = await explain('ssh://git@git.example.com/acme/lib');
    expect([exitCode, stdout]).toEqual([
      1,
      expect.stringContaining('note: ssm-ssh will fail: SIGNATURE_REF'),
    ]);
    expect((await explain(url)).exitCode).toBe(0);
    configure('[ssm]', 'key = kms:alias/deploy', 'uses = many');
    const wrong = await explain(url);
    expect([wrong.exitCode, wrong.stdout]).toEqual([1, expect.stringContaining('INPUT_INVALID: ssm.uses')]);
  });

  it('of an exec are explained by their names', async () => {
    makeKmsKey(host.world, 'deploy');
    const exec = ['exec', '--quiet', '--key', 'kms:alias/deploy uses=9 github.com/acme', '--'];
    const { stdout } = await host.agent([...exec, launcher, 'explain', url]);
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      'kms:alias/deploy is offered for github.com/acme/lib',
      'why: a line of keys names the repository',
    ]);
    expect(stdout).toMatch(
      /^from: key 1 of keys, job, .*\nsigned by: our agent .*\nsigns for: github\.com\nends: /m,
    );
    expect(kmsCalls(host.world)).toEqual(['kms:GetPublicKey']);
  });

  it('are written by setup with all their options, and taken out by --remove', async () => {
    writeFileSync(gitConfig(), '[user]\n\tname = Me\n');
    const line = 'kms:alias/deploy unbound=allow uses=5 github.com/acme/lib';
    const { exitCode, stderr } = await host.agent(['setup', '--global', '--key', line]);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('ssm.github.com/acme/lib.uses = 5')]);
    const certified =
      'new:ed25519 ca=kms:alias/ca principals=deploy valid=1h force-command=rsync%20-a git.example.com';
    await host.agent(['setup', '--global', '--key', certified]);
    expect(settings()).toEqual(
      expect.arrayContaining([
        ...['ssm.github.com/acme/lib.key=kms:alias/deploy', 'ssm.github.com/acme/lib.unbound=allow'],
        ...['ssm.git.example.com.key=new:ed25519', 'ssm.git.example.com.ca=kms:alias/ca'],
        ...['ssm.git.example.com.valid=1h', 'ssm.git.example.com.forcecommand=rsync -a'],
      ]),
    );
    expect((await explain(url)).stdout).toContain('kms:alias/deploy is offered');
    await host.agent(['setup', '--global', '--key', '/ci/key', 'github.com/acme/lib']);
    expect(settings().filter((one) => one.startsWith('ssm.github.com/'))).toEqual([
      'ssm.github.com/acme/lib.key=/ci/key',
    ]);
    await host.agent(['setup', '--global', '--remove']);
    expect(settings()).toEqual(['user.name=Me']);
  });

  it.each([
    ['new:ed25519', 'ca= is missing'],
    ['kms:deploy', 'has neither the id of a KMS key nor alias/NAME'],
    ['kms:alias/a uses=many', 'uses= is not a number of signatures'],
    ['/ci/key unbound=allow', 'unbound= is for keys in KMS'],
  ])('are refused by setup before it writes: %s', async (line, message) => {
    const { exitCode, stderr } = await host.agent(['setup', '--global', '--key', line]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
