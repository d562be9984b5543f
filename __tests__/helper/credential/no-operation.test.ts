/** Somebody who starts git-credential-ssm by hand. */
import { expect, it } from '@jest/globals';
import { answerGit } from '../../../helper/commands/credential.ts';

it.each([
  ['without an operation on standard error, as a wrong use', [], ['err'], 2],
  ['with --help on standard output', ['--help'], ['out'], 0],
])('is told how git starts it: %s', async (...[, args, places, code]) => {
  const told: Record<string, string> = {};
  const io = {
    env: {},
    out: (text: string) => (told['out'] = text),
    err: (text: string) => (told['err'] = text),
    input: () => Promise.reject(new Error('there is nothing to read')),
  };
  expect(await answerGit(args, io)).toBe(code);
  expect(Object.keys(told)).toEqual(places);
  expect(Object.values(told)[0]).toContain('git-credential-ssm [--store-prefix /PREFIX] get|store|erase');
});
