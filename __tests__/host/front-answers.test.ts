/** The failures, the environment and the bytes between an agent in front and its starter. */
import { describe, expect, it } from '@jest/globals';
import { Failure, type Code } from '../../src/errors.ts';
import {
  additionName,
  readAdded,
  readAddition,
  writeAdded,
  writeAddition,
} from '../../src/host/front-addition.ts';
import {
  failureIn,
  isTaken,
  readAnswer,
  sayFailure,
  type FrontAnswer,
  type FrontOrder,
} from '../../src/host/front-order.ts';
import { isStoredLine, parseKeyLine } from '../../src/keys/key-line.ts';
import { failureOf, told } from '../support/failure-of.ts';

const failureWith = (code: Code, cause?: unknown): Failure =>
  new Failure(code, 'it failed', { hint: 'help', cause });

describe('a failure', () => {
  it.each<[unknown, string | undefined]>([
    [undefined, undefined],
    [new Error('no code'), undefined],
    [{ code: 7 }, undefined],
    [{ code: 'EACCES' }, 'EACCES'],
  ])('is said with the system’s code of %j: %s', (cause, systemCode) => {
    const said = sayFailure(failureWith('AGENT_FAILED', cause));
    expect(said).toStrictEqual({ code: 'AGENT_FAILED', message: 'it failed', hint: 'help', systemCode });
  });

  it('is made again with its cause, or without one', () => {
    const said = { code: 'AGENT_FAILED', message: 'it failed', hint: 'help' } as const;
    expect(failureIn(said).cause).toBeUndefined();
    const { cause, ...rest } = failureIn({ ...said, systemCode: 'EACCES' });
    expect(rest).toMatchObject({ code: 'AGENT_FAILED', hint: 'help' });
    expect(cause).toMatchObject({ message: 'it failed', code: 'EACCES' });
  });

  it.each<[unknown, boolean]>([
    [failureWith('AGENT_FAILED', { code: 'EADDRINUSE' }), true],
    [failureWith('INTERNAL', { code: 'EADDRINUSE' }), false],
    [failureWith('AGENT_FAILED', { code: 'EACCES' }), false],
    [failureWith('AGENT_FAILED'), false],
    [{ code: 'AGENT_FAILED', cause: { code: 'EADDRINUSE' } }, false],
    [undefined, false],
  ])('says that another agent listens: %#', (error, expected) => {
    expect(isTaken(error)).toBe(expected);
  });
});

it.each<[unknown, unknown]>([
  [{ type: 'Buffer', data: [1, 2] }, Buffer.of(1, 2)],
  [
    { type: 'Buffer', data: 'x' },
    { type: 'Buffer', data: 'x' },
  ],
  [
    { type: 'Other', data: [1] },
    { type: 'Other', data: [1] },
  ],
  [null, null],
])('the value %j is read as %j', (value, expected) => {
  expect(readAnswer(JSON.stringify({ value }))).toEqual({ value: expected });
});

describe('an addition', () => {
  const line = parseKeyLine('kms:alias/deploy github.com');
  if (isStoredLine(line)) throw new Error('not a key in KMS');
  const order = (env: Record<string, string> = {}): FrontOrder => ({
    keys: [{ line, lifetime: 60, knownHosts: ['/a', '/b'] }],
    wanted: { regions: [], role: null, allowedAccounts: [], maxAttempts: 3, timeoutSeconds: 30 },
    ...{ missing: { region: '', credentials: '', expired: '' }, env, endsWithInput: true },
  });
  const another = 'start another agent: eval "$(ssm-ssh-agent add --agent \'REF\')"';

  it('has a name that other programs do not use', () => {
    expect(additionName).toBe('add@ssm-ssh-agent');
  });

  it('does not end the agent with its input', () => {
    expect(readAddition(writeAddition(order()), order())).toMatchObject({ endsWithInput: false });
  });

  it('to an agent without keys has only its own known hosts', () => {
    const { keys } = readAddition(writeAddition(order()), { ...order(), keys: [] });
    expect(keys.map(({ knownHosts }) => knownHosts)).toEqual([['/a', '/b']]);
  });

  it('of another version names the way out', () => {
    const failure = failureOf(() => readAddition({ format: 2, order: '' }, order()));
    expect(failure.code).toBe('AGENT_FAILED');
    expect(told(failure)).toBe(`the agent is of another version of ssm-ssh-agent\n${another}`);
  });

  it.each(['AWS_PROFILE', 'NODE_EXTRA_CA_CERTS', 'HTTP_PROXY', 'https_proxy', 'No_Proxy'])(
    'with another %s is refused, on either side',
    (name) => {
      for (const [asked, running] of [
        [{ [name]: 'x' }, {}],
        [{}, { [name]: 'x' }],
      ] as const) {
        const failure = failureOf(() => readAddition(writeAddition(order(asked)), order(running)));
        expect(failure.code).toBe('INPUT_INVALID');
        expect(told(failure)).toBe(
          `the agent was started with another value of ${name}, and calls AWS with that one\n${another}`,
        );
      }
    },
  );

  it.each(['XAWS_A', 'NODE_EXTRA_CA_CERTS_X', 'http_proxy_x', 'httpsx_proxy', 'HOME'])(
    'may have another %s, and an empty value is none',
    (name) => {
      const env = { [name]: 'x', AWS_PROFILE: '' };
      expect(readAddition(writeAddition(order(env)), order()).env).toEqual({});
    },
  );

  it('names different variables in the order of their names', () => {
    const env = { https_proxy: 'x', AWS_B: 'x', AWS_A: 'x' };
    expect(failureOf(() => readAddition(writeAddition(order(env)), order())).message).toContain(
      'of AWS_A, AWS_B, https_proxy,',
    );
  });

  it('has an answer that is read again', () => {
    const answer: FrontAnswer = { said: [{ kind: 'info', text: 'a' }], pid: 1, keys: [] };
    expect(readAdded(writeAdded(answer))).toEqual(answer);
  });
});
