/** What the process of the agent in front is told and answers, as one line of JSON. */
import { expect, it } from '@jest/globals';
import { Failure } from '../../src/errors.ts';
import { failureIn, readAnswer, writeLine, type FrontAnswer } from '../../src/host/front-order.ts';

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
  const { code, message, hint } = failure;
  const answer = readAnswer(writeLine({ said: [], failure: { code, message, hint } }));
  expect('failure' in answer && failureIn(answer.failure)).toEqual(failure);
});
