/** What main leaves for post comes back as it was, and nothing else is taken for it. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readState, replacedBy, writeState } from '../../src/action/state.ts';

describe('the state', () => {
  it('comes back as it was written', () => {
    const value = fc.option(fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), value, value, (folder, SSH_AUTH_SOCK, GIT_SSH_COMMAND) => {
        const state = { folder, replaced: { SSH_AUTH_SOCK, GIT_SSH_COMMAND } };
        expect(readState(writeState(state))).toEqual(state);
        const more = { ...state, socket: `${folder}/agent`, sshConfig: true };
        expect(readState(writeState(more))).toEqual(more);
      }),
    );
  });

  it('is one line, since the runner reads it from a file of lines', () => {
    expect(writeState({ folder: '/tmp/a\nb', replaced: { SSH_AUTH_SOCK: 'x\r\ny' } })).not.toMatch(/[\r\n]/);
  });

  it.each([
    undefined,
    '',
    ' ',
    'null',
    '1',
    '"text"',
    '[]',
    '{}',
    '{"folder":"/x"}',
    '{"folder":1,"replaced":{}}',
    '{"folder":"/x","replaced":null}',
    '{"folder":"/x","replaced":"y"}',
    '{"folder":"/x","replaced":{}',
  ])('%j is none of ours', (text) => {
    expect(readState(text)).toBeUndefined();
  });

  it('holds nothing but what main writes, whatever else the text says', () => {
    expect(readState('{"folder":"/x","replaced":{},"extra":1,"socket":2,"sshConfig":"yes"}')).toEqual({
      folder: '/x',
      replaced: {},
    });
  });
});

describe('the replaced variables', () => {
  it('are those that the action exports; null where they were not set', () => {
    const env = { SSH_AUTH_SOCK: '/run/a', GIT_SSH_COMMAND: '', PATH: '/bin', AWS_SECRET_ACCESS_KEY: 'x' };
    const agent = { SSH_AUTH_SOCK: '/run/a', SSH_AGENT_PID: null };
    const ssh = { GIT_SSH_COMMAND: '', GIT_SSH_VARIANT: null };
    const configuration = { GIT_CONFIG_COUNT: null };
    const none = { agent: false, ssh: false, configuration: false };
    expect(replacedBy(env, { agent: true, ssh: true, configuration: true })).toEqual({
      ...agent,
      ...ssh,
      ...configuration,
    });
    expect(replacedBy(env, { ...none, agent: true })).toEqual(agent);
    expect(replacedBy(env, { ...none, ssh: true })).toEqual(ssh);
    expect(replacedBy(env, { ...none, configuration: true })).toEqual(configuration);
  });
});
