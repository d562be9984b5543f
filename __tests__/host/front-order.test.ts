/** What the process of the agent in front is told and answers, as one line of JSON. */
import { expect, it } from '@jest/globals';
import { Failure } from '../../src/errors.ts';
import {
  failureIn,
  isTaken,
  readAnswer,
  sayFailure,
  writeLine,
  type FrontAnswer,
} from '../../src/host/front-order.ts';

it('keeps the bytes of keys, and line feeds in messages', () => {
  const answer: FrontAnswer = {
    said: [{ kind: 'warn', text: 'two\nlines' }],
    pid: 7,
    keys: [
      {
        publicKey: { type: 'ssh-ed25519', blob: Buffer.from([0, 255, 10]), comment: 'kms:alias/a' },
        certificate: 'ssh-ed25519-cert-v01@openssh.com AAAA',
        ...{ arn: 'arn:aws:kms:eu-west-1:111122223333:key/1', version: '' },
      },
    ],
  };
  const line = writeLine(answer);
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(readAnswer(line)).toEqual(answer);
});

it('carries a failure with its code and hint', () => {
  const failure = new Failure('KEY_NOT_FOUND', 'there is no KMS key a', { hint: 'make it' });
  const answer = readAnswer(writeLine({ said: [], failure: sayFailure(failure) }));
  expect('failure' in answer && failureIn(answer.failure)).toEqual(failure);
});

it.each([
  ['EADDRINUSE', true],
  ['EACCES', false],
])('tells by the system’s code, and not by the message, that another agent listens: %s', (code, expected) => {
  const cause = Object.assign(new Error('listen'), { code });
  const failure = new Failure('AGENT_FAILED', 'any text', { hint: 'any', cause });
  const answer = readAnswer(writeLine({ said: [], failure: sayFailure(failure) }));
  expect('failure' in answer && isTaken(failureIn(answer.failure))).toBe(expected);
  expect(isTaken(new Failure('AGENT_FAILED', 'another agent listens there', { hint: 'any' }))).toBe(false);
});
