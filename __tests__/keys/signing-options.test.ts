/** The options of keys in KMS and of certificates, as a line of `keys` has them. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/errors.ts';
import { rangeProblem } from '../../src/keys/address-range.ts';
import { parseKeyLine, referencesOf } from '../../src/keys/key-line.ts';
import { parseSigningOptions } from '../../src/keys/signing-options.ts';
import { parseKeyReference } from '../../src/keys/key-reference.ts';
import { requireStored } from '../../src/keys/stored-line.ts';
import { failureOf, outcomeOf } from '../support/failure-of.ts';

const signingOf = (line: string): unknown => parseKeyLine(line).signing;
const ca = 'ca=kms:alias/ca';

describe('a line', () => {
  it('of a stored key has no signing options', () => {
    expect(signingOf('/a passphrase=/p certificate=/c github.com/acme')).toBeUndefined();
  });

  it.each([
    ['kms:alias/a', { unbound: 'refuse', forwarding: 'refuse' }],
    ['kms:alias/a unbound=allow', { unbound: 'allow', forwarding: 'refuse' }],
    ['kms:alias/a forwarding=allow uses=1', { unbound: 'refuse', forwarding: 'allow', uses: 1 }],
    [
      'kms:alias/a unbound=refuse forwarding=refuse uses=1000000',
      expect.objectContaining({ uses: 1_000_000 }),
    ],
  ])('%s has the rules of our agent', (line, options) => {
    expect(signingOf(line)).toEqual(options);
  });

  it('of any kind may ask for a certificate', () => {
    for (const reference of ['new:ed25519', 'kms:alias/a', '/a']) {
      expect(signingOf(`${reference} ${ca} principals=deploy`)).toEqual({
        ...{ unbound: 'refuse', forwarding: 'refuse' },
        certificate: {
          authority: { kind: 'kms', text: 'kms:alias/ca', name: 'alias/ca' },
          ...{ principals: ['deploy'], valid: 900, extensions: [] },
        },
      });
    }
  });

  it('says what the certificate allows', () => {
    const line = [
      ...['new:rsa', ca, 'principals=deploy,web,deploy', 'valid=1h30m'],
      'extensions=permit-pty,login@github.com=octo-bot,flag@example.com=',
      ...['source-address=192.0.2.0/24,2001:db8::/32,10.0.0.1', 'force-command=rsync%20--server%20.'],
      'host.example.com',
    ];
    expect(() => signingOf(line.join(' '))).toThrow('flag@example.com no value');
    const right = line.map((word) => word.replace('flag@example.com=', 'flag@example.com'));
    expect(signingOf(right.join(' '))).toMatchObject({
      certificate: {
        principals: ['deploy', 'web'],
        valid: 5400,
        extensions: [
          { name: 'permit-pty', value: '' },
          { name: 'login@github.com', value: 'octo-bot' },
          { name: 'flag@example.com', value: '' },
        ],
        sourceAddress: ['192.0.2.0/24', '2001:db8::/32', '10.0.0.1'],
        forceCommand: 'rsync --server .',
      },
    });
  });

  it('names what has to be read: not the keys in KMS', () => {
    const lines = [
      ...['kms:alias/a', `new:rsa ca=/ca principals=x`, '/b certificate=/c'],
      ...[`/d passphrase=/p ${ca} principals=x`],
    ].map(parseKeyLine);
    expect(referencesOf(lines).map(({ text }) => text)).toEqual(['/ca', '/b', '/c', '/d', '/p']);
  });

  it.each([
    ['new:ed25519', 'ca= is missing', 'ca=kms:alias/NAME and principals=NAME'],
    ['new:ed25519 github.com/acme', 'ca= is missing', 'ca='],
    ['/a principals=x', 'principals= is for a certificate, and ca= is missing', 'remove principals='],
    [
      'kms:alias/a valid=5m',
      'valid= is for a certificate, and ca= is missing',
      '(ca=kms:alias/NAME), or remove valid=',
    ],
    ['new:rsa extensions=permit-pty', 'ca= is missing', 'ca='],
    [`new:rsa ${ca}`, 'principals= is missing', 'principals=deploy,web'],
    [`new:rsa ${ca} principals=`, 'principals= has an empty part', 'one comma'],
    [`new:rsa ${ca} principals=a,,b`, 'principals= has an empty part', 'one comma'],
    ['new:rsa ca=new:rsa principals=a', 'ca= cannot be new:rsa', 'kms:alias/NAME'],
    ['new:rsa ca=ci/ca principals=a', 'a path without a slash', '/ci/ca'],
    [
      `/a certificate=/c ${ca} principals=a`,
      'certificate= names a stored certificate, and ca=',
      'one of the two',
    ],
    ['kms:alias/a passphrase=/p', 'passphrase= is for a stored key', 'remove passphrase='],
    [`new:rsa passphrase=/p ${ca} principals=a`, 'passphrase= is for a stored key', 'remove passphrase='],
    ['kms:alias/a certificate=/c', 'certificate= is for a stored key', 'ca='],
    ['kms:alias/a certificate=/c github.com uses=1', 'and kms:alias/a is not stored', 'remove certificate='],
    ['/a passphrase=kms:alias/a', 'passphrase= is not followed by the name', 'passphrase=/NAME'],
    ['/a certificate=new:rsa', 'certificate= is not followed by the name', 'certificate=/NAME'],
    [
      '/a unbound=allow',
      "unbound= is for keys in KMS and keys with ca=: OpenSSH's agent holds /a",
      'put kms:alias/NAME',
    ],
    ['/a forwarding=refuse', 'forwarding= is for keys in KMS', 'remove forwarding='],
    ['/a uses=1', 'uses= is for keys in KMS', 'remove uses='],
    ['kms:alias/a unbound=yes', 'unbound= can only be "refuse" or "allow"', 'unbound=allow'],
    ['kms:alias/a uses=0', 'uses= is not a number of signatures: "0"', '1 to 1000000'],
    ['kms:alias/a uses=1000001', 'uses= is not a number of signatures', '1 to 1000000'],
    ['kms:alias/a uses=1 uses=2', 'the option "uses" is set twice', '[uses=N]'],
    [`new:rsa ${ca} principals=a valid=0`, 'valid= is not a duration: "0"', '15m'],
    [`new:rsa ${ca} principals=a valid=soon`, 'valid= is not a duration: "soon"', '15m'],
    [`new:rsa ${ca} principals=a extensions=permit-tty`, 'unknown extension "permit-tty"', 'permit-pty'],
    [
      `new:rsa ${ca} principals=a extensions=permit-pty=x`,
      'gives permit-pty a value',
      'extensions=permit-pty',
    ],
    [`new:rsa ${ca} principals=a extensions=login@github.com`, 'gives login@github.com no value', '=NAME'],
    [
      `new:rsa ${ca} principals=a extensions=permit-pty,permit-pty=`,
      'gives permit-pty a value',
      'permit-pty',
    ],
    [`new:rsa ${ca} principals=a extensions=a@b=1,a@b=2`, 'names a@b twice', 'once'],
    [
      `new:rsa ${ca} principals=a source-address=10.0.0.1/8`,
      'bits behind its mask of 8 bits',
      '192.0.2.0/24',
    ],
    [`new:rsa ${ca} principals=a source-address=example.com`, 'is not an IP address', '192.0.2.0/24'],
    [`new:rsa ${ca} principals=a force-command=%20`, 'force-command= has no command', '%20'],
    [
      `new:rsa ${ca} principals=a force-command=a\u001bb`,
      'force-command= has control characters',
      'plain text',
    ],
    [`new:rsa ${ca} principals=a\u202eb`, 'principals= has control characters', 'plain text'],
    ['kms:alias/a as=github-app github.com/acme', 'names a key in KMS', '/NAME'],
    [
      '/a unbound=allow as=github-app github.com/acme',
      'unbound= cannot be used with as=github-app',
      'remove',
    ],
    [`/a ${ca} as=github-app github.com/acme`, 'ca= cannot be used with as=github-app', 'remove ca='],
    ['/a kms:alias/b', 'the repository "kms:alias/b" does not begin with a host', 'a separate line'],
    ['/a new:rsa', 'the repository "new:rsa" does not begin with a host', 'a separate line'],
  ])('%j is refused: %s', (line, problem, hint) => {
    const failure = failureOf(() => parseKeyLine(line));
    expect(failure.code).toBe('INPUT_INVALID');
    expect(failure.message).toContain(problem);
    expect(failure.hint).toContain(hint);
  });

  it('may name a host that is called kms, with a port', () => {
    expect(parseKeyLine('/a kms:2222/x').repositories).toMatchObject([{ host: 'kms', port: 2222 }]);
  });

  it('is named as it is written: by settings, too', () => {
    const texts = new Map([
      ['ca', 'kms:alias/ca'],
      ['source-address', 'x'],
      ['principals', 'a'],
    ]);
    const named = (option: string): string => `ssm.${option === 'source-address' ? 'sourceAddress' : option}`;
    const failure = failureOf(() => parseSigningOptions(parseKeyReference('new:rsa'), texts, named));
    expect(failure.message).toBe(
      'ssm.sourceAddress has "x", which is not an IP address or a range in CIDR notation',
    );
  });

  it('with signing options is refused where only stored keys are used', () => {
    for (const line of ['kms:alias/a', `/a ${ca} principals=x`]) {
      const failure = failureOf(() => requireStored(parseKeyLine(line)));
      expect(failure).toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringContaining('only stored keys'),
      });
    }
    const stored = parseKeyLine('/a');
    expect(requireStored(stored)).toBe(stored);
  });

  it('of any options is a line or a Failure', () => {
    const words = fc.constantFrom(
      ...['kms:alias/a', 'new:rsa', '/a', ca, 'principals=a', 'valid=1', 'uses=3', 'unbound=allow', 'as=key'],
      ...[
        'extensions=permit-pty',
        'source-address=::1',
        'force-command=x',
        'certificate=/c',
        'passphrase=/p',
      ],
    );
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 6 }), (all) => {
        const outcome = outcomeOf(() => parseKeyLine(all.join(' ')));
        if (outcome instanceof Failure) return outcome.code === 'INPUT_INVALID';
        const { reference, signing } = outcome;
        return (signing !== undefined) === (reference.kind === 'kms' || all.slice(1).includes(ca));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a range of addresses', () => {
  it.each([
    '0.0.0.0/0',
    '10.0.0.0/8',
    '10.1.2.3',
    '10.1.2.3/32',
    '::/0',
    '::1',
    '2001:db8::/32',
    'fe80::1:2/128',
    '1:2:3:4:5:6:7:8',
  ])('%s is accepted', (range) => {
    expect(rangeProblem(range)).toBeUndefined();
  });

  it.each([
    ['', 'not an IP address'],
    ['10.0.0', 'not an IP address'],
    ['10.0.0.256', 'not an IP address'],
    ['010.0.0.1', 'not an IP address'],
    ['0x7f.1', 'not an IP address'],
    ['10.0.0.0/', 'not an IP address'],
    ['10.0.0.0/8/8', 'not an IP address'],
    ['10.0.0.0/-1', 'not an IP address'],
    ['10.0.0.0/33', 'more than 32 bits'],
    ['::/129', 'more than 128 bits'],
    ['1::2::3', 'not an IP address'],
    ['fe80::1%eth0', 'not an IP address'],
    ['10.1.0.0/8', 'bits behind its mask of 8 bits'],
    ['2001:db8::1/64', 'bits behind its mask of 64 bits'],
  ])('%j is refused: %s', (range, problem) => {
    expect(rangeProblem(range)).toContain(problem);
  });
});
