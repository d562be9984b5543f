/** What GitHub says: the answers of its API, and the state that the runner keeps from main for post. */
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { readState, writeState } from '../../../src/action/state.ts';
import { readJson, readObject, saidBy } from '../../../src/http-api.ts';
import { anyJson, jsonNear } from '../hostile.ts';
import { holds, type Target } from '../target.ts';
import { words } from './words.ts';

const apiTarget: Target = {
  name: 'github-answers',
  seeds: [
    '{"message":"Not Found","documentation_url":"https://docs.github.com"}',
    '[{"id":1,"key":"ssh-ed25519 AAAA"}]',
  ],
  near: jsonNear({
    message: words,
    error: anyJson,
    id: fc.nat(),
    token: words,
    expires_at: words,
    key: words,
  }),
  read: (text) => {
    readJson(text);
    readObject(text);
    const said = saidBy({ status: 404, headers: {}, text });
    holds(/^404[\x20-\x7e]{0,310}$/.test(said), 'an answer that is not one short line');
  },
};

const state = { folder: '/tmp/ssm-ssh-agent-00000000', socket: '/tmp/s', replaced: { SSH_AUTH_SOCK: null } };

const stateTarget: Target = {
  name: 'states',
  seeds: [writeState(state)],
  near: jsonNear({
    ...{
      folder: fc.constant(state.folder),
      socket: words,
      sshConfig: fc.boolean(),
      tokens: fc.array(anyJson),
    },
    replaced: fc.dictionary(fc.constantFrom('SSH_AUTH_SOCK', 'GIT_SSH_COMMAND', 'PATH', 'a\nb'), anyJson),
  }),
  read: (text) => {
    const read = readState(text);
    if (!read) return;
    // JSON has no text for a number that is too large.
    const same = isDeepStrictEqual(readState(writeState(read)), read);
    holds(same || /\de[+]?\d/i.test(text), 'another state by its text');
    for (const [name, value] of Object.entries(read.replaced)) {
      holds(
        /^(SSH_AUTH_SOCK|SSH_AGENT_PID|GIT_SSH_COMMAND|GIT_SSH_VARIANT|GIT_CONFIG_COUNT)$/.test(name),
        `the variable ${name}`,
      );
      holds(value === null || typeof value === 'string', 'a variable that is no text');
    }
  },
};

export const githubTargets: readonly Target[] = [apiTarget, stateTarget];
