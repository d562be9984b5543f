/** The state that main saves for post is read unchanged, and no other text is accepted. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readState, replacedBy, writeState } from '../../src/action/state.ts';
import { anyText } from '../support/any-text.ts';

describe('the state', () => {
  it('is read as it was written', () => {
    const value = fc.option(anyText());
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
  ])('%j is not accepted', (text) => {
    expect(readState(text)).toBeUndefined();
  });

  it('contains only what main writes, even if the text has more', () => {
    expect(readState('{"folder":"/x","replaced":{},"extra":1,"socket":2,"sshConfig":"yes"}')).toEqual({
      folder: '/x',
      replaced: {},
    });
  });
});

describe('the replaced variables', () => {
  it('are the ones that the action exports, with null for one that was not set', () => {
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
