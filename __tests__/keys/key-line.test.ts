/** The `keys` input: lines, their words, and the line number in errors. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/errors.ts';
import { parseKeyLine, parseLines, referencesOf } from '../../src/keys/key-line.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { failureOf, leakOf, outcomeOf } from '../support/failure-of.ts';
import { bodyOf, storedForms } from '../support/stored-forms.ts';
import { anyText } from '../support/any-text.ts';

const keys = await Promise.all([makeSshKey(), makeSshKey({ type: 'rsa', format: 'PEM' })]);

const written = (text: string): string[] =>
  parseLines(text).keys.map(({ reference, repositories }) =>
    [reference.text, ...repositories.map(({ host, path }) => `${host}/${path}`)].join(' '),
  );

describe('the lines', () => {
  it.each([
    ['', []],
    ['\n \n\t\r\n', []],
    ['# nothing\n  # here', []],
    ['/ci/key', ['/ci/key']],
    ['/a\n/b:2\r\n/c\r/d:prod\n', ['/a', '/b:2', '/c', '/d:prod']],
    ['\n\n  /a  \n# /b\n\t/c\n', ['/a', '/c']],
    ['/a github.com/acme/lib', ['/a github.com/acme/lib']],
    ['/a \t github.com/acme/*   gitlab.com\t', ['/a github.com/acme gitlab.com/']],
    ['/a git@github.com:acme/lib.git https://gitlab.com/x', ['/a github.com/acme/lib gitlab.com/x']],
    ['/a\n/a', ['/a', '/a']],
    ['secretsmanager:a=b:c=d: github.com/x', ['secretsmanager:a=b:c=d: github.com/x']],
    [`secretsmanager:${'n'.repeat(60)}:k`, [`secretsmanager:${'n'.repeat(60)}:k`]],
  ])('of %j are %j', (text, lines) => {
    expect(written(text)).toEqual(lines);
  });

  it.each([
    ['ci/key', 1, '/ci/key'],
    ['/a\n\n# comment\nci/key', 4, '/ci/key'],
    ['/a\r\n/b//c', 2, 'write /name'],
    ['/a\r/b *', 2, 'host/owner/repository'],
    ['/a github.com/*/x', 1, 'host/owner/*'],
    ['secretsmanager:a=b color=red', 1, '[REPOSITORY'],
    ['/a\nsecretsmanager:a::::', 2, 'secretsmanager:NAME[:json-key'],
    ['/a passphrase=', 1, 'passphrase=/NAME'],
    ['/a passphrase=/p passphrase=/q', 1, '[REPOSITORY'],
    ['/a passphrase=/p/', 1, 'passphrase=/NAME'],
    ['/a certificate=', 1, 'certificate=/NAME'],
    ['/a\n/b certificate=/c certificate=/c', 2, 'certificate=REFERENCE'],
    ['/a as=github-app', 1, 'github.com/OWNER'],
    ['/a as=', 1, '[REPOSITORY'],
    ['/a =b', 1, '[REPOSITORY'],
    ['/a github.com/x color=red', 1, '[REPOSITORY'],
    ['\n/a, /b', 2, 'one key per line'],
    ['/a,/b', 1, 'one key per line'],
    ['["/a", "/b"]', 1, 'one key per line'],
    ['* /a', 1, 'one key per line'],
    ["'/a'", 1, 'without quotes'],
  ])('of %j are refused with line %i in the message', (text, number, hint) => {
    const failure = failureOf(() => parseLines(text).keys);
    expect(failure.code).toBe('INPUT_INVALID');
    expect(failure.message).toMatch(new RegExp(`^keys, line ${number}: `));
    expect(failure.hint).toContain(hint);
  });

  it('may not be those of a GitHub App where a command takes an SSH key', () => {
    const failure = failureOf(() => parseKeyLine('/a as=github-app github.com/x'));
    expect([failure.code, failure.hint]).toEqual([
      'INPUT_INVALID',
      expect.stringContaining("the action's keys"),
    ]);
  });

  it('may name a passphrase, anywhere after the reference', () => {
    for (const line of [
      '/a passphrase=/p github.com/x',
      '/a github.com/x passphrase=/p',
      '/a as=key github.com/x passphrase=/p',
    ]) {
      const [{ reference, passphrase, repositories } = {}] = parseLines(line).keys;
      expect([reference?.text, passphrase?.text, repositories?.length]).toEqual(['/a', '/p', 1]);
    }
  });

  it('may name a passphrase and a certificate', () => {
    const lines = parseLines('/a certificate=/c passphrase=/p github.com/x\n/b').keys;
    expect(referencesOf(lines).map(({ text }) => text)).toEqual(['/a', '/p', '/c', '/b']);
  });

  it('do not repeat a passphrase instead of its name', () => {
    const { message, hint } = failureOf(() => parseLines('/a passphrase=hunter2!').keys);
    expect(`${message} ${hint}`).not.toContain('hunter2');
  });

  it('name an unknown option without its value', () => {
    const { message } = failureOf(() => parseLines('/a passfrase=hunter2').keys);
    expect(message).toBe('keys, line 1: unknown option "passfrase"');
  });

  it('of any text are accepted or a Failure', () => {
    const texts = fc.oneof(
      anyText(),
      fc
        .array(fc.constantFrom('/a', 'b', ' ', '\n', '\r', '#', 'github.com/x', '=', '-----BEGIN '))
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const outcome = outcomeOf(() => parseLines(text).keys);
        return outcome instanceof Failure
          ? outcome.code === 'INPUT_INVALID'
          : outcome.every(({ reference }) => reference.text !== '');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a key that was pasted instead of its name', () => {
  const forms = Object.entries(storedForms).filter(([name]) => !name.includes('text'));

  it.each(forms)('is refused without being shown (%s)', (_, store) => {
    for (const { privateKey } of keys) {
      const stored = store(privateKey);
      const failure = failureOf(() => parseLines(stored).keys);
      expect(failure.code).toBe('INPUT_INVALID');
      expect(leakOf(failure, bodyOf(privateKey))).toBeUndefined();
      expect(leakOf(failure, stored.replace(/-----[^-]*-----/g, ''))).toBeUndefined();
    }
  });

  it('has a hint to replace it', () => {
    expect(failureOf(() => parseLines(keys[0].privateKey).keys)).toMatchObject({
      message: expect.stringContaining('line 1: this is the text of a key'),
      hint: expect.stringContaining('replace the key'),
    });
  });
});
