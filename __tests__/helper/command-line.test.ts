import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseLine, type Line } from '../../helper/command-line/parse.ts';
import { parseRegion, parseRoles } from '../../helper/command-line/account.ts';
import { readTimeLimit } from '../../helper/command-line/host-place.ts';
import { suggest } from '../../helper/command-line/suggest.ts';
import { failureOf } from '../support/failure-of.ts';

const options = {
  key: { type: 'string', multiple: true, value: 'REF', help: '' },
  lifetime: { type: 'string', value: 'TIME', help: '' },
  agent: { type: 'boolean', help: '' },
} as const;
const parse = (...args: string[]): Line<typeof options> => parseLine(args, options);

describe('a command line', () => {
  it('becomes a record of values, words, and what stands behind --', () => {
    const { values, words, behind } = parse(
      'one',
      '--key',
      '/a',
      '--agent',
      '--key=/b c',
      'two',
      '--',
      '--key',
      'x',
    );
    expect(values).toMatchObject({ key: ['/a', '/b c'], agent: true, lifetime: undefined });
    expect([words, behind]).toEqual([
      ['one', 'two'],
      ['--key', 'x'],
    ]);
  });

  it('has an empty value for everything that is not there', () => {
    const { values, words, behind } = parse();
    expect(values).toEqual({
      ...{ key: [], lifetime: undefined, agent: false, region: undefined, profile: undefined },
      ...{ 'role-arn': [], json: false, quiet: false, verbose: false, help: false, version: false },
    });
    expect([words, behind]).toEqual([[], undefined]);
  });

  it('accepts -h', () => {
    expect(parse('-h').values.help).toBe(true);
  });

  it('accepts a value that begins with a hyphen only behind =', () => {
    expect(parse('--lifetime=-1').values.lifetime).toBe('-1');
    expect(failureOf(() => parse('--lifetime', '-1')).message).toBe('--lifetime has no value');
  });

  it.each([
    [['--lifetme', '1h'], 'there is no option --lifetme', 'did you mean --lifetime?'],
    [['--kye=/a'], 'there is no option --kye', 'did you mean --key?'],
    [['--reg', 'x'], 'there is no option --reg', 'did you mean --region?'],
    [['-x'], 'there is no option -x', 'the options are --key, --lifetime'],
    [['--__proto__'], 'there is no option --__proto__', 'the options are'],
    [['--key'], '--key has no value', 'write --key REF'],
    [['--key', '--agent'], '--key has no value', 'write --key REF'],
    [['--key='], '--key has no value', 'write --key REF'],
    [['--agent=yes'], '--agent takes no value', 'write --agent alone'],
    [['--lifetime', '1h', '--lifetime', '2h'], '--lifetime stands twice', 'write it once'],
  ])('that is %j is refused: %s', (args, message, hint) => {
    const failure = failureOf(() => parse(...args));
    expect([failure.code, failure.exitCode, failure.message]).toEqual(['INPUT_INVALID', 2, message]);
    expect(failure.hint).toContain(hint);
  });

  it('only throws INPUT_INVALID', () => {
    const word = fc.oneof(fc.constantFrom('--key', '--agent', '--', '-', '--key=', '-h', ''), fc.string());
    fc.assert(
      fc.property(fc.array(word), (args) => {
        try {
          parse(...args);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INPUT_INVALID' });
        }
      }),
    );
  });
});

describe('a suggestion', () => {
  const names = ['exec', 'add', 'setup', 'flush'];

  it.each([
    ['exce', 'exec'],
    ['setpu', 'setup'],
    ['fluhs', 'flush'],
    ['ad', 'add'],
    ['setups', 'setup'],
  ])('for %s is %s', (word, name) => {
    expect(suggest(word, names)).toBe(`did you mean ${name}?`);
  });

  it.each(['keygen', 'put', 'rotate', 'doctor', 'policy', 'proxy', 'x', ''])('is not made for %j', (word) => {
    expect(suggest(word, names)).toBeUndefined();
  });
});

describe('the values of options', () => {
  it('are a chain of roles, by commas or one by one', () => {
    const [a, b] = ['arn:aws:iam::111122223333:role/a', 'arn:aws-cn:iam::111122223333:role/path/b'];
    expect(parseRoles([`${a}, ${b}`, a])).toEqual([a, b, a]);
    expect(failureOf(() => parseRoles([`${a},`])).message).toBe('--role-arn is not the ARN of a role: ""');
    expect(failureOf(() => parseRoles(['ci'])).hint).toContain('arn:aws:iam::ACCOUNT:role/NAME');
  });

  it('are a time limit that a timer holds', () => {
    const limits = ['0', '30s', '24d', '30d'].map((text) => readTimeLimit(text, 'ssm.timeout'));
    expect(limits).toEqual([1, 30, 2_073_600, 2_147_483]);
    expect(failureOf(() => readTimeLimit('soon', 'ssm.timeout')).message).toContain('ssm.timeout is not');
  });

  it('are a region, and a word for host keys', () => {
    expect([parseRegion(undefined), parseRegion('us-gov-west-1')]).toEqual([undefined, 'us-gov-west-1']);
    expect(failureOf(() => parseRegion('Ireland')).message).toBe('--region is not a region: "Ireland"');
  });
});
