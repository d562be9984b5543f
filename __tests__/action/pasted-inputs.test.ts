/** Inputs of other actions, and pasted secrets. e2e/job/pasted-inputs.test.ts runs the whole step. */
import { describe, expect, it } from '@jest/globals';
import { parseInputs } from '../../src/action/inputs.ts';
import { looksSecret } from '../../src/keys/secret-text.ts';
import { failureOf, told } from '../support/failure-of.ts';
import { tokens } from '../support/tokens.ts';
import { stepEnvironment } from './step-environment.ts';

const refuse = (given: Readonly<Record<string, string>>): string => {
  const failure = failureOf(() => parseInputs(stepEnvironment(given)));
  expect(failure.code).toBe('INPUT_INVALID');
  return told(failure);
};

describe('an input of another action', () => {
  it.each([
    ['ssh-private-key', 'text', 'keys: /ci/deploy-key in its place'],
    ['ssh-auth-sock', '/tmp/agent.sock', 'the output ssh-auth-sock'],
    ['log-public-key', 'true', 'leave it out'],
    ['log-public-key', 'false', 'the log shows fingerprints'],
    ['git-cmd', 'false', 'found on PATH'],
    ['ssh-agent-cmd', '/usr/bin/ssh-agent', 'found on PATH'],
    ['ssh-add-cmd', '/usr/bin/ssh-add', 'found on PATH'],
    ['git-cmd', '/usr/bin/git', 'found on PATH'],
    ['inline-session-policy', '{}', 'write session-policy'],
    ['retry-max-attempts', '3', 'write max-attempts'],
    ['action-timeout-s', '60', 'write timeout-seconds'],
    ['aws-secret-access-key', tokens['AWS, secret access key'], 'role-to-assume'],
    ['role-chaining', 'true', 'one on each line'],
    ['no-proxy', 'localhost', 'NO_PROXY in the env'],
    ['sts-endpoint', 'https://sts.test', 'AWS_ENDPOINT_URL_STS in the env'],
    ['role-skip-session-tagging', 'true', 'only the tags in custom-tags are sent'],
    ['output-credentials', 'true', 'never leave this step'],
    ['output-env-credentials', 'true', 'never leave this step'],
    ['aws-profile', 'ci', 'AWS_PROFILE in the env'],
    ['overwrite-aws-profile', 'true', 'no credentials are written'],
    ['unset-current-credentials', 'true', 'no credentials are exported'],
    ['special-characters-workaround', 'true', 'not exported'],
  ])('is refused with a hint what to write: %s', (name, value, hint) => {
    const text = refuse({ [name]: value });
    expect(text).toContain(`the input ${name} is not an input of this action\n`);
    expect(text.split('\n')[1]).toContain(hint);
    if (value.length > 30) expect(text).not.toContain(value);
  });

  it('is ignored if it is empty, and of configure-aws-credentials also if it is false', () => {
    const env = stepEnvironment({
      'ssh-private-key': '',
      'log-public-key': '',
      'disable-retry': 'false',
      'output-credentials': 'false',
    });
    expect(parseInputs(env).keys.length).toBe(1);
  });
});

describe('what looks like a secret', () => {
  it.each(Object.entries(tokens))('is refused in keys, and not repeated: %s', (_, token) => {
    const text = refuse({ keys: `/ci/key\n${token} github.com/acme/lib` });
    expect(text).toContain('keys, line 2: this looks like a secret');
    expect(text).not.toContain(token);
  });

  it.each([
    ['aws-region', tokens.GitLab],
    ['key-lifetime', tokens.GitHub],
    ['allowed-account-ids', tokens['a JSON Web Token']],
    ['timeout-seconds', tokens['GitHub, fine-grained']],
    ['keys', `/ci/key https://${tokens.GitHub}@github.com/acme/*/lib`],
    ['keys', `/ci/key passphrase=${tokens['AWS, secret access key']}`],
  ])('is not repeated in an error about %s', (name, value) => {
    const text = refuse({ [name]: value });
    for (const token of Object.values(tokens)) expect(text).not.toContain(token);
  });

  it.each([
    '/ci/DeployKeyOfTheTeamThatOwnsTheLibrary2026AndMore',
    'arn:aws:secretsmanager:eu-west-1:111122223333:secret:ci/DeployKeyOfTheTeamThatOwnsTheLibrary2026-AbCdEf',
    'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU',
    'ghp_docs',
    'deploy-key-of-the-team-that-owns-the-library-2026-Q4',
    '0123456789abcdef0123456789abcdef01234567',
  ])('is not %s', (text) => {
    expect(looksSecret(text)).toBe(false);
  });
});

describe('keys that YAML makes something else of', () => {
  it.each([
    [
      'as a list',
      '- /ci/lib\n- /ci/tools',
      /line 1: the line begins with a hyphen, as in a YAML list\n.*"keys: \|"/,
    ],
    [
      'folded',
      '/ci/lib github.com/acme/lib /ci/tools',
      /line 1: .*\n.*YAML joins the lines of "keys: >": write "keys: \|"/,
    ],
    [
      'folded, an ARN',
      '/ci/lib arn:aws:ssm:eu-west-1:111122223333:parameter/x',
      /each key on a separate line/,
    ],
    ['folded behind a comment', '# ours /ci/lib /ci/tools', /names no key\n.*"keys: >" YAML joins/],
    ['with a note behind a key', '/ci/lib # a=b\n/ci/tools', /line 1: a comment .*\n.*separate line/],
  ])('%s are refused, and the hint says so', (_, keys, text) => {
    expect(refuse({ keys })).toMatch(text);
  });
});
