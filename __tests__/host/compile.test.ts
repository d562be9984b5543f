/** What Node compiles for the shell, and what it caches. */
import { describe, expect, it } from '@jest/globals';
import type { Listing } from '../../src/git/listing.ts';
import { listing } from '../support/listing.ts';
import { compile, mayBeWritten, pick, placesOf, textOf } from '../../src/host/compile.ts';
import { surroundings } from '../../src/host/key-name.ts';

const byGit = { byGit: true, jobRegion: '' };
const byHand = { byGit: false, jobRegion: '' };

describe('the compiled configuration', () => {
  it('has a key for each section and the default key, with the settings of each', () => {
    const { keys, place } = compile(
      listing(
        ...['global ssm.region = eu-west-1', 'global ssm.key = /default', 'global ssm.keylifetime = 5m'],
        ...['global ssm.github.com/acme.key = /acme', 'global ssm.github.com/acme.region = eu-west-2'],
        ...[
          'global ssm.github.com/acme.passphrase = /acme-passphrase',
          'global ssm.passphrase = /default-passphrase',
        ],
      ),
      { SSM_SSH_TIMEOUT: '9s' },
      byHand,
    );
    expect(keys).toEqual([
      expect.objectContaining({
        ...{ reference: '/acme', passphrase: '/acme-passphrase', certificate: '', lifetime: '5m' },
        place: { region: 'eu-west-2', roles: [], timeout: '9s', via: undefined },
        pattern: { host: 'github.com', path: 'acme' },
      }),
      expect.objectContaining({ reference: '/default', passphrase: '/default-passphrase', place }),
    ]);
    expect(place).toEqual({ region: 'eu-west-1', roles: [], timeout: '9s', via: undefined });
  });

  it('has a repository’s choice of the key only for git’s commands, and no other setting of it', () => {
    const listed = listing(
      ...[
        'global ssm.key = /ours',
        'local ssm.key = /theirs',
        'local ssm.evil.key = /evil',
        'local ssm.evil.region = evil-1',
      ],
      ...['local ssm.stricthostkeychecking = no', 'local ssm.region = evil-1', 'local ssm.ec2remotes = true'],
      ...['local core.sshcommand = theirs', 'unknown ssm.knownhosts = /evil'],
    );
    const references = ({ keys }: ReturnType<typeof compile>): string[] =>
      keys.map(({ reference }) => reference);
    const ofGit = compile(listed, {}, byGit);
    expect(references(ofGit)).toEqual(['/evil', '/theirs']);
    expect(ofGit).toMatchObject({ command: 'theirs', strict: '', knownHosts: '', ec2Remotes: false });
    expect(ofGit.keys.map(({ place, isProtected }) => [place.region, isProtected])).toEqual([
      [undefined, false],
      [undefined, true],
    ]);
    const ofHand = compile(listed, {}, byHand);
    expect([references(ofHand), ofHand.command]).toEqual([['/ours'], '']);
    expect(ofHand.ignored).toEqual(
      ['*.region', 'strictHostKeyChecking', 'region', 'ec2Remotes', 'knownHosts'].map(
        (name) => `ssm.${name}`,
      ),
    );
  });

  it('skips a section without a key, and warns of a section that names no repository', () => {
    const listed = listing(
      ...[
        'global ssm.github.com.key = /a',
        'command ssm.github.com.key',
        'global ssm.git@no host/x.key = /b',
      ],
    );
    expect(compile(listed, {}, byGit)).toMatchObject({
      keys: [],
      warnings: [`the section [ssm "no host/x"] of git's configuration names no repository: it is ignored`],
    });
  });

  it('has options for keys that sign, which are protected, as their references are', () => {
    const listed = listing(
      ...['global ssm.github.com/acme.key = /a', 'global ssm.github.com/acme.ca = kms:alias/ca'],
      ...['global ssm.github.com/acme.sourceaddress = 192.0.2.0/24', 'global ssm.key = kms:alias/x'],
      ...['local ssm.passphrase = /evil', 'local ssm.uses = 1', 'local ssm.gitlab.com.key = kms:alias/y'],
    );
    const { keys, ignored } = compile(listed, {}, byGit);
    expect(keys).toMatchObject([
      {
        reference: '/a',
        signs: true,
        options: new Map([
          ['ca', 'kms:alias/ca'],
          ['source-address', '192.0.2.0/24'],
        ]),
      },
      { reference: 'kms:alias/x', passphrase: '', signs: true, options: new Map() },
    ]);
    expect(ignored).toEqual(['ssm.uses', 'ssm.*.key']);
    const { folder, agent } = placesOf(keys[0] ?? { name: '', signs: false }, '/state');
    expect([agent, folder.length]).toEqual([`${folder}/agent`, '/state/kms/'.length + 16]);
    const theirs = compile(
      listing('global ssm.key = /a', 'global ssm.ca = kms:alias/ca', 'local ssm.key = /b'),
      {},
      byGit,
    );
    expect(theirs.keys).toMatchObject([{ reference: '/b', signs: false, options: new Map() }]);
    const given = compile(
      listing('global ssm.key = /a', 'global ssm.ca = kms:alias/ca'),
      { SSM_SSH_KEY: '/a' },
      byGit,
    );
    expect(given.keys).toMatchObject([{ signs: false, options: new Map() }]);
  });

  it('gives a key that signs another name for each section, option and file of host keys', () => {
    const settings = ['ssm.github.com/acme.key = kms:alias/x', 'ssm.gitlab.com.key = kms:alias/x'];
    const namesWith = (...more: readonly string[]): string[] =>
      compile(listing(...[...settings, ...more].map((text) => `global ${text}`)), {}, byGit).keys.map(
        ({ name }) => name,
      );
    const names = [
      ...namesWith(),
      ...namesWith('ssm.github.com/acme.uses = 5'),
      ...namesWith('ssm.knownhosts = /x'),
    ];
    // The section without the option has its usual name.
    expect(new Set(names).size).toBe(5);
  });

  it('offers keys of one agent for a repository, and warns', () => {
    const { keys, warnings } = compile(
      listing('global ssm.github.com/acme.key = kms:alias/x', 'global ssm.ssh://github.com:22/acme.key = /a'),
      {},
      byGit,
    );
    expect(keys.map(({ reference }) => reference)).toEqual(['kms:alias/x']);
    expect(warnings).toEqual([expect.stringContaining('its key is in another agent, and ssh asks one')]);
  });

  it('distinguishes keys by credentials and Region', () => {
    const listed = listing('global ssm.key = /a');
    const nameWith = (env: Readonly<Record<string, string>>, region = ''): string =>
      compile(listed, env, { byGit: true, jobRegion: region }).keys[0]?.name ?? '';
    const others = surroundings
      .filter((name) => /^AWS_|^SSM_SSH_(REGION|ROLE_ARN|PASSPHRASE|CERTIFICATE|KEY|CACHE)$/.test(name))
      .map((name) => nameWith({ [name]: 'x' }));
    const names = [nameWith({}), nameWith({}, 'eu-west-1'), ...others];
    // AWS_REGION, AWS_DEFAULT_REGION and SSM_SSH_REGION are the same Region.
    expect(new Set(names).size).toBe(names.length - 2);
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{64}$/);
    // A login and a service without HOME share a key, unless the AWS SDK has files there.
    const withFiles = compile(listed, {}, { ...byGit, awsFiles: ['/home/x/.aws/config'] }).keys[0]?.name;
    expect(names).not.toContain(withFiles);
    for (const name of ['HOME', 'SSM_SSH_KEY_LIFETIME', 'SSM_SSH_TIMEOUT']) {
      expect(nameWith({ [name]: '/x' })).toBe(nameWith({}));
    }
  });

  it('has its key picked by the common rules', () => {
    const compiled = compile(
      listing('global ssm.key = /d', 'global ssm.github.com/acme.key = /a', 'global ssm.*.com.key = /w'),
      {},
      byGit,
    );
    const picked = (host: string, path: string): string[] =>
      pick(compiled, { host, path }).map(({ reference }) => reference);
    expect([picked('github.com', 'acme/lib'), picked('github.com', 'x'), picked('a.org', 'x')]).toEqual([
      ['/a'],
      ['/w'],
      ['/d'],
    ]);
    expect(picked('i-0123456789abcdef0', '')).toEqual([]);
  });
});

describe('the text for the cache', () => {
  const listed = listing('global ssm.key = /a');

  it.each<[string, Listing, Readonly<Record<string, string>>]>([
    ['git tells no scopes', { ...listed, scoped: false }, {}],
    ['a value has a line end', listing('local ssm.key = /a\nglobal ssm.key /b'), {}],
    ['a name has a control character', listing('local ssm.a\tb.key = /a'), {}],
    ['a variable has a line end', listed, { AWS_PROFILE: 'a\nb' }],
    ['git was told something by an argument', listed, { GIT_CONFIG_PARAMETERS: "'http.extraheader'='x'" }],
    ['a URL has a user in it', listed, { AWS_ENDPOINT_URL: 'https://user:password@aws.test' }],
    ['a passphrase is in the environment', listing('command ssm.passphrase = correct-horse'), {}],
    ['a value looks like a secret', listing(`global ssm.x.credential = ghp_${'x'.repeat(36)}`), {}],
  ])('is undefined if %s', (_, given, env) => {
    expect(textOf(listed, {}, byGit)).toBe('5 git\n\nglobal\tssm.key /a');
    expect(textOf(given, env, byGit)).toBeUndefined();
  });

  it('distinguishes unset and empty variables, jobs, commands and the environment', () => {
    const texts = [
      textOf(listed, {}, byGit),
      textOf(listed, {}, byHand),
      textOf(listed, {}, { byGit: true, jobRegion: 'eu-west-1' }),
      textOf(listed, { GIT_CONFIG_PARAMETERS: '' }, byGit),
      ...surroundings
        .filter((name) => name !== 'GIT_CONFIG_PARAMETERS')
        .flatMap((name) => [textOf(listed, { [name]: '' }, byGit), textOf(listed, { [name]: 'x' }, byGit)]),
    ];
    expect(new Set(texts).size).toBe(texts.length);
  });

  it.each([
    [{}, true],
    [{ SSM_SSH_KEY: '/ci/key', SSM_SSH_PASSPHRASE: 'secretsmanager:x' }, true],
    [{ SSM_SSH_KEY: 'arn:aws:ssm:eu-west-1:111122223333:parameter/a' }, true],
    [{ SSM_SSH_KEY: 'kms:alias/x' }, true],
    [{ SSM_SSH_KEY: 'deploy-key' }, false],
    [{ SSM_SSH_KEY: '/ci/key', SSM_SSH_PASSPHRASE: 'correct-horse' }, false],
    [{ SSM_SSH_CERTIFICATE: '/not a name' }, false],
  ])('with %j, before a key was read with it: %s', (env, may) => {
    expect(mayBeWritten(env)).toBe(may);
  });
});
