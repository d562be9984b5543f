/** Patterns of ssh_config(5) for the ids of EC2 hosts. */
import { describe, expect, it } from '@jest/globals';
import { allButEc2HostIds, ec2HostIds, quotable } from '../../src/keys/ec2-host-patterns.ts';

/** Whether a list of patterns matches, as ssh_config(5) says: an exception counts more than any other pattern. */
function matches(list: string, name: string): boolean {
  const fits = (pattern: string): boolean =>
    new RegExp(
      `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '[^]*')
        .replaceAll('?', '[^]')}$`,
    ).test(name);
  const patterns = list.split(',');
  const isExcept = patterns.some((one) => one.startsWith('!') && fits(one.slice(1)));
  return !isExcept && patterns.some((one) => !one.startsWith('!') && fits(one));
}

/** The lists of `host "LIST"` conditions. */
const listsOf = (conditions: string): string[] =>
  [...conditions.matchAll(/host "([^"]*)"/g)].map(([, list = '']) => list);

const ids = ['i-0123abcd', 'i-0123456789abcdef0', 'mi-0123456789abcdef0', 'mi-fedcba98765432100'];
const others = [
  ...['github.com', 'web', 'i-', 'i-0123abc', 'i-0123abcde', 'mi-0123abcd', 'xi-0123abcd', 'Name=web', ''],
  ...Array.from("ghijklmnopqrstuvwxyz-._ :+@%/=~$`'();&|<>{}[]!#^", (one) => `i-0123${one}bcd`),
  ...['i-0123456789abcdefg', 'mi-g123456789abcdef0', 'mi-0123456789abcdef0x'],
];

describe('the patterns of the ids of EC2 hosts', () => {
  it.each(ids)('match %s', (id) => {
    expect(matches(ec2HostIds, id)).toBe(true);
  });

  it.each(others)('do not match %j', (name) => {
    expect(matches(ec2HostIds, name)).toBe(false);
  });
});

describe('the conditions for all other hosts', () => {
  const except = ['github.com', 'i-gggggggg'];
  const conditions = allButEc2HostIds(except).map(listsOf);
  const count = (name: string): number =>
    conditions.filter((lists) => lists.every((list) => matches(list, name))).length;

  it('are two, and the second has two lists', () => {
    expect(conditions.map((lists) => lists.length)).toEqual([1, 2]);
  });

  it.each(ids)('exclude %s', (id) => {
    expect(count(id)).toBe(0);
  });

  it.each(except)('exclude %s, which is left out', (name) => {
    expect(count(name)).toBe(0);
  });

  it.each(others.filter((name) => !except.includes(name)))('include %j once', (name) => {
    expect(count(name)).toBe(1);
  });
});

describe('the condition for a name in single quotes', () => {
  const [, host = '', user = ''] = /^originalhost "([^"]*)" user "([^"]*)"$/.exec(quotable) ?? [];

  it.each([
    ['web', true],
    ['', true],
    ["we'b", false],
    ["'", false],
  ])('matches %j: %j', (name, isQuotable) => {
    expect([matches(host, name), matches(user, name)]).toEqual([isQuotable, isQuotable]);
  });
});
