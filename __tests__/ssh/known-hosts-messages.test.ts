/** What is told of a line that is not in known_hosts form, and forms that are. */
import { describe, expect, it } from '@jest/globals';
import { pinnedHosts, renderKnownHosts } from '../../src/ssh/known-hosts.ts';
import { failureOf, told } from '../support/failure-of.ts';

const key = pinnedHosts[0]?.keys[0] ?? '';
const form =
  'write HOST TYPE KEY, as ssh-keyscan HOST prints it (compare its fingerprint with what the host publishes)';
const hash = '|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=';

describe('a line', () => {
  it.each([
    [
      `@trusted a.test ${key}`,
      'has the unknown marker @trusted',
      'the markers are @cert-authority and @revoked',
    ],
    ['a.test', 'has fewer than three fields', form],
    ['@revoked a.test ssh-ed25519', 'has fewer than three fields', form],
    [`a.test,,b.test ${key}`, 'does not begin with host names', form],
    [`a.test, ${key}`, 'does not begin with host names', form],
    [`,a.test ${key}`, 'does not begin with host names', form],
    [`a|b ${key}`, 'does not begin with host names', form],
    [`x${hash} ${key}`, 'does not begin with host names', form],
    [`${hash}|x ${key}`, 'does not begin with host names', form],
    [`|1|a-b|YQ== ${key}`, 'does not begin with host names', form],
    [`|1|YQ==|a-b ${key}`, 'does not begin with host names', form],
    ['a.test ssh-rsa', 'has fewer than three fields', form],
    ['a.test ssh-rsa AAAA', 'has no ssh-rsa key in its third field', form],
  ])('%j is refused: it %s', (line, problem, hint) => {
    expect(told(failureOf(() => renderKnownHosts(`\n${line}`)))).toBe(
      `known-hosts, line 2: the line ${problem}\n${hint}`,
    );
  });

  it.each([`a ${key}`, `a,b,c.test ${key}`, `${hash} ${key}`, `@revoked ${hash} ${key}`, `|1|a|b ${key}`])(
    'may be %j',
    (line) => {
      expect(renderKnownHosts(`  ${line.replaceAll(' ', '  ')} `).split('\n')[0]).toBe(line);
    },
  );
});
