/** Who may choose a key in KMS on a host, and how wrong settings are told. */
import { expect } from '@jest/globals';
import { describeOnHost } from '../../support/on-host.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { kmsCalls } from './kms-keys.ts';
import { useKmsHost } from './use-kms-host.ts';

describeOnHost('the settings of a key in KMS', () => {
  const stand = useKmsHost();
  const configure = (...lines: string[]): void => {
    stand.host.configure([`[ssm "${stand.address}/acme"]`, ...lines]);
  };

  it('do not count in a repository’s own configuration, with a warning', async () => {
    const { host, world, list, address } = stand;
    configure('key = /ci/key');
    const set = (name: string, value: string): string =>
      `git config 'ssm.${address}/acme.${name}' '${value}'`;
    const { stdout, stderr, code } = await host.run(
      [
        'git init -q evil && cd evil',
        set('key', 'kms:alias/one'),
        set('ca', 'kms:alias/two'),
        set('unbound', 'allow'),
        'git config ssm.key new:ed25519',
        list('lib'),
      ].join(' && '),
    );
    expect([code, stdout]).toEqual([0, expect.stringContaining('refs/heads/main')]);
    for (const name of ['*.key', '*.ca', '*.unbound', 'key'])
      expect(stderr).toContain(`ssm.${name} of the repository's own configuration is ignored`);
    expect(kmsCalls(world)).toEqual([]);
  });

  it('of the user are not for a key that the repository chose', async () => {
    const { host, world, list, address } = stand;
    configure('key = /ci/other', 'ca = kms:alias/one', 'principals = deploy');
    const { code } = await host.run(
      `git init -q own && cd own && git config 'ssm.${address}/acme.key' /ci/key && ${list('lib')}`,
    );
    expect([code, kmsCalls(world)]).toEqual([0, []]);
  });

  it.each<[string[], string]>([
    [['key = kms:alias/one', 'uses = many'], 'acme.uses is not a number of signatures: "many"'],
    [['key = kms:alias/one', 'unbound = yes'], 'acme.unbound can only be "refuse" or "allow"'],
    [['key = new:ed25519'], 'acme.ca is missing'],
    [['key = /ci/key', 'forwarding = allow'], 'acme.forwarding is for keys in KMS'],
    [['key = kms:alias/one', 'principals = deploy'], 'acme.principals is for a certificate'],
    [['key = kms:alias/one', 'passphrase = /ci/x'], 'acme.passphrase is for a stored key'],
  ])('%j are wrong', async (lines, message) => {
    configure(...lines);
    const { code, stderr } = await stand.host.run(stand.list('one'));
    expect([code, stderr]).toEqual([128, expect.stringMatching(/^ssm-ssh: INPUT_INVALID: .*\nhint: .*/)]);
    expect(stderr).toContain(message);
    expect(stand.world.aws.calls).toEqual([]);
  });

  it('for the same repository as another section, in another agent, are left out with a warning', async () => {
    const { host, list, address } = stand;
    host.configure([
      `[ssm "${address}/acme"]`,
      'key = kms:alias/one',
      `[ssm "ssh://${address}/acme"]`,
      'key = /ci/key',
    ]);
    const { code, stderr } = await host.run(list('one'));
    expect([code, stderr]).toEqual([0, expect.stringContaining('is in another agent, and ssh asks one')]);
  });
});
