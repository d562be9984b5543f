/** The key of a host's configuration as a line: whose setting an error names, and what it never repeats. */
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Failure } from '../../src/errors.ts';
import { hostLine } from '../../src/host/host-line.ts';

describe('a passphrase that stands where its name belongs', () => {
  const failure = (section: string | undefined): Failure => {
    try {
      hostLine({
        ...{ reference: '/ci/key', passphrase: 'correct horse battery', certificate: '' },
        ...{ options: new Map(), ...(section !== undefined && { section }) },
      });
    } catch (error) {
      if (error instanceof Failure) return error;
    }
    throw new Error('it was taken');
  };

  it.each([
    [undefined, 'ssm.passphrase (SSM_SSH_PASSPHRASE)'],
    ['github.com/acme', 'ssm.github.com/acme.passphrase'],
  ])('is told by the name of its setting, in the section %s', (section, setting) => {
    const { code, message } = failure(section);
    expect([code, message]).toEqual([
      'INPUT_INVALID',
      `${setting} is not the name of a parameter or a secret`,
    ]);
  });

  it('is nowhere in the error, and not in its cause', () => {
    expect(inspect(failure(undefined), { depth: 9 })).not.toContain('horse');
  });
});
