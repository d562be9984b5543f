import { afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { itInTurn as it } from '../support/parts.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { openEc2Host, type Ec2Host } from './ec2-host.ts';

describe('ssm-ssh-agent public', () => {
  let host: Ec2Host;
  let [one, two]: SshKey[] = [];

  beforeAll(async () => {
    [one, two] = await Promise.all([
      makeSshKey({ comment: 'one' }),
      makeSshKey({ type: 'ecdsa', comment: 'two' }),
    ]);
  });
  beforeEach(async () => {
    host = await openEc2Host();
    host.world.put('/ci/key', one?.privateKey ?? '');
    host.world.put('/ci/key', two?.privateKey ?? '');
  });
  afterEach(async () => {
    await host.close();
  });

  it('prints the public keys of versions and names in order, one line each', async () => {
    const { exitCode, stdout, stderr } = await host.agent(['public', '/ci/key', '/ci/key:1']);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`${two?.publicKey ?? ''}\n${one?.publicKey ?? ''}\n`);
  });

  it('describes them with --json', async () => {
    const { stdout } = await host.agent(['public', '--json', '/ci/key:1']);
    expect(JSON.parse(stdout)).toEqual([
      {
        ...{ reference: '/ci/key:1', version: '1', type: 'ssh-ed25519' },
        ...{ fingerprint: one?.fingerprint, publicKey: one?.publicKey },
      },
    ]);
  });

  it('prints nothing on standard output where one key cannot be read', async () => {
    const { exitCode, stdout, stderr } = await host.agent(['public', '/ci/key', '/ci/nothing']);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^ssm-ssh-agent: KEY_NOT_FOUND: there is no parameter \/ci\/nothing/);
  });

  it.each([
    [[], 'public has no key to print'],
    [['/ci/key github.com/acme/lib'], 'takes no certificate and no repository'],
    [['/ci/key certificate=/ci/certificate'], 'takes no certificate and no repository'],
  ])('refuses %j before anything is asked', async (args, message) => {
    const { exitCode, stdout, stderr } = await host.agent(['public', ...args]);
    expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringContaining(message)]);
    expect(host.world.aws.calls).toEqual([]);
  });
});
