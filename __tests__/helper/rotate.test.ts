import { describe, expect, it } from '@jest/globals';
import { parseLine } from '../../helper/command-line/parse.ts';
import { newKey } from '../../helper/rotate/new-key.ts';
import { rotateOptions } from '../../helper/rotate/options.ts';
import { planOf, type Plan } from '../../helper/rotate/plan.ts';
import { progressOf, type State } from '../../helper/rotate/progress.ts';
import { commandAgain, registerByHand, titleFor } from '../../helper/rotate/texts.ts';
import { generateKey, parseKeyKind } from '../../src/keys/generate-key.ts';
import { rsaBits } from '../../src/keys/key-fields.ts';
import { writeOpensshKey } from '../../src/keys/openssh-key.ts';
import { parseReference } from '../../src/keys/reference.ts';
import type { KeyVersions } from '../../src/secrets/key-versions.ts';
import { failureOf, told } from '../support/failure-of.ts';

const plan = (...args: string[]): Plan => planOf(parseLine(args, rotateOptions));
const github = ['--github-repo', 'acme/lib', '--token', '/ci/token'];

describe('the options of rotate', () => {
  it('name a key, a host and a token', () => {
    expect(plan('/ci/key', ...github, '--api-url', 'https://git.acme.test/api/v3/')).toMatchObject({
      action: 'rotate',
      reference: { name: '/ci/key' },
      host: { kind: 'github', repository: 'acme/lib', apiUrl: 'https://git.acme.test/api/v3' },
    });
    expect(plan('/ci/key', '--gitlab-project', '42', '--token', '/ci/token', '--finish')).toMatchObject({
      action: 'finish',
      host: { kind: 'gitlab', repository: '42', apiUrl: undefined },
    });
    expect(plan('secretsmanager:ci/key:private_key', '--abort')).toMatchObject({
      action: 'abort',
      reference: { kind: 'secret', jsonKey: 'private_key' },
    });
  });

  it.each([
    ['git@github.com:acme/lib.git'],
    ['ssh://git@git.acme.test:2222/acme/lib.git'],
    ['github.com:acme/lib'],
  ])('take %s to test the key', (url) => {
    expect(plan('/ci/key', '--test', url).test).toBe(url);
  });

  it.each([
    [[], 'rotate has no key'],
    [['/ci/key', '/ci/other'], 'is too much'],
    [['secretsmanager:ci/key::AWSPREVIOUS'], 'names one version'],
    [['arn:aws:kms:eu-west-1:111122223333:alias/key'], 'is not the alias of a KMS key'],
    [['new:ed25519'], 'stands for a key that is not stored'],
    [['/ci/key', '--github-repo', 'acme', '--token', '/t'], '--github-repo is not a repository'],
    [['/ci/key', '--gitlab-project', 'acme', '--token', '/t'], '--gitlab-project is not a project'],
    [['/ci/key', ...github, '--gitlab-project', '7'], '--github-repo and --gitlab-project'],
    [['/ci/key', '--gitlab-project', '7'], '--gitlab-project needs a token'],
    [['/ci/key', '--token', '/ci/token'], '--token needs a repository'],
    [['/ci/key', '--api-url', 'https://h/api/v3'], '--api-url needs a repository'],
    [
      ['/ci/key', ...github, '--api-url', 'http://git.acme.test/api/v3'],
      '--api-url is not an https:// address',
    ],
    [['/ci/key', ...github, '--registered'], '--registered does not go together'],
    [['/ci/key', '--finish', '--registered'], '--registered does not go together'],
    [['/ci/key', '--type', 'dsa'], '--type cannot be "dsa"'],
    [['/ci/key', '--test=-oProxyCommand=x:y'], '--test is not the ssh address'],
    [['/ci/key', '--test', 'ext::sh -c x'], '--test is not the ssh address'],
    [['/ci/key', '--test', '/srv/git/lib'], '--test is not the ssh address'],
  ])('refuse %j', (args, message) => {
    expect(() => plan(...args)).toThrow(message);
  });

  it('refuse a token where its name belongs, do not repeat it, and say that it has to be replaced', () => {
    const token = `ghp_${'a'.repeat(36)}`;
    const failure = failureOf(() => plan('/ci/key', '--github-repo', 'acme/lib', '--token', token));
    expect(failure.message).toContain('--token has a token itself');
    expect(failure.hint).toMatch(/aws ssm put-parameter.* replace the token/);
    expect(told(failure)).not.toContain(token);
  });
});

describe('the command for the next step', () => {
  const nothing = { region: undefined, roles: [], profile: undefined };

  it('has all that finds the host and the key, as words of sh', () => {
    const made = plan('/ci/key', ...github, '--test', "git@h:a/b'$(x).git", '--known-hosts', 'my hosts');
    const account = { region: 'eu-west-1', roles: ['arn:aws:iam::111122223333:role/r'], profile: 'my ci' };
    expect(commandAgain(made, account)).toBe(
      "ssm-ssh-agent rotate /ci/key --github-repo acme/lib --token /ci/token --test 'git@h:a/b'\\''$(x).git' --known-hosts 'my hosts'" +
        " --region eu-west-1 --role-arn arn:aws:iam::111122223333:role/r --profile 'my ci'",
    );
  });

  it('has nothing else', () => {
    expect(commandAgain(plan('/ci/key'), nothing)).toBe('ssm-ssh-agent rotate /ci/key');
    expect(commandAgain(plan('/ci/key', '--gitlab-project', '7', '--token', '/t'), nothing)).toBe(
      'ssm-ssh-agent rotate /ci/key --gitlab-project 7 --token /t',
    );
  });
});

describe('the steps by hand', () => {
  it('have the options that were given, and an address to test the key with', () => {
    const again = 'ssm-ssh-agent rotate /ci/key --region eu-west-1';
    const made = { line: 'ssh-ed25519 AAAA', title: 'title' };
    const lines = registerByHand({ plan: plan('/ci/key'), again, ...made });
    expect(lines.slice(-2)).toEqual([
      `then run ${again} --registered --test git@HOST:OWNER/REPO.git`,
      `or go back: ${again} --abort`,
    ]);
    const tested = registerByHand({
      ...{ plan: plan('/ci/key', '--test', 'git@h:a/b'), again: `${again} --test git@h:a/b` },
      ...made,
    });
    expect(tested.at(-2)).toBe(`then run ${again} --test git@h:a/b --registered`);
  });
});

describe('the title of a new deploy key', () => {
  it.each([
    ['CI 2025-01-31', 'CI 2026-11-29 (/ci/key)'],
    ['/ci/key 2025-01-31', '/ci/key 2026-11-29'],
    ['CI 2025-01-31 (/ci/key)', 'CI 2026-11-29 (/ci/key)'],
    ['runners', 'runners 2026-11-29 (/ci/key)'],
    ['/ci/key', '/ci/key 2026-11-29'],
    ['', '/ci/key 2026-11-29'],
  ])('after "%s" is "%s"', (old, title) => {
    expect(titleFor(old, '/ci/key', '2026-11-29')).toBe(title);
  });

  it('is short enough for the host', () => {
    expect(titleFor('x'.repeat(300), '/ci/key', '2026-11-29')).toBe('/ci/key 2026-11-29');
  });
});

describe('the state of a rotation', () => {
  const reference = parseReference('/ci/key');
  const keys = async (): Promise<Record<'a' | 'b' | 'c', string>> => {
    const [a = '', b = '', c = ''] = await Promise.all(
      [1, 2, 3].map(async () => writeOpensshKey(await generateKey(parseKeyKind(), ''))),
    );
    return { a, b, c };
  };
  type Letters = Readonly<Record<'latest' | 'previous' | 'next', 'a' | 'b' | 'c' | undefined>>;
  const cases: [State, Letters, boolean][] = [
    ['none', { latest: 'a', previous: undefined, next: undefined }, false],
    ['staged', { latest: 'a', previous: undefined, next: 'b' }, false],
    ['kept', { latest: 'a', previous: 'a', next: 'b' }, false],
    ['served', { latest: 'b', previous: 'a', next: 'b' }, false],
    ['rotated', { latest: 'b', previous: 'a', next: undefined }, false],
    ['changed', { latest: 'c', previous: 'a', next: 'b' }, false],
    ['changed', { latest: 'a', previous: undefined, next: 'b' }, true],
  ];

  it.each(cases)('is %s with %j', async (...[state, { latest, previous, next }, isStale]) => {
    const texts = await keys();
    const version = (letter: 'a' | 'b' | 'c'): KeyVersions['latest'] => ({
      text: texts[letter],
      version: letter,
    });
    const versions: KeyVersions = {
      ...{ arn: 'arn', isStale, latest: version(latest ?? 'a') },
      ...(previous && { previous: version(previous) }),
      ...(next && { next: version(next) }),
    };
    expect(progressOf(versions, reference, '/ci/key.next').state).toBe(state);
  });

  it('is not told for a key with a passphrase, and the hint says what to do', () => {
    const text = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n';
    const versions = { arn: '', isStale: false, latest: { text, version: '1' } };
    const look = (): unknown => progressOf(versions, reference, '/ci/key.next');
    expect(look).toThrow(expect.objectContaining({ code: 'KEY_ENCRYPTED' }));
    expect(look).toThrow(expect.objectContaining({ hint: expect.stringContaining('ssh-keygen -p') }));
  });
});

describe('the new key', () => {
  it.each([
    ['ed25519', undefined, 'ssh-ed25519'],
    ['ecdsa', '384', 'ecdsa-sha2-nistp384'],
    ['ecdsa', '521', 'ecdsa-sha2-nistp521'],
  ])('after %s %s is %s', async (type, bits, wanted) => {
    const old = await generateKey(parseKeyKind(type, bits), 'deploy@acme');
    const { publicKey } = await newKey(old);
    expect([publicKey.type, publicKey.comment]).toEqual([wanted, 'deploy@acme']);
    expect(publicKey.blob.equals(old.publicKey.blob)).toBe(false);
  });

  it('after a short RSA key is as long as RSA keys are today, unless another type is wanted', async () => {
    const old = await generateKey(parseKeyKind('rsa', '2048'), '');
    expect(rsaBits((await newKey(old)).publicKey.blob)).toBe(3072);
    expect((await newKey(old, 'ed25519')).publicKey.type).toBe('ssh-ed25519');
  });
});
