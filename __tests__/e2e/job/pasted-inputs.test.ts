/** What people bring along from other actions, and paste into inputs: they are told how to move, and no secret is repeated. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { usualInputs } from '../../support/bad-inputs/bad-input.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';
import { told, useStage } from '../stage.ts';

const { privateKey } = await makeSshKey();
const letters = 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6kM9n';
/** Made up, in the form of each maker. */
const secrets = {
  GitHub: `ghp_${letters.slice(0, 36)}`,
  'GitHub, fine-grained': `github_pat_${letters.slice(0, 22)}_${letters}`,
  GitLab: `glpat-${letters.slice(0, 20)}`,
  'AWS, secret access key': `${letters.slice(0, 20)}/${letters.slice(20, 39)}`,
  'a JSON Web Token': `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.${letters}`,
};

describe('the step', () => {
  const stage = useStage();
  let world: ReadyWorld;

  beforeAll(async () => {
    world = await startReadyWorld();
  });
  afterAll(async () => {
    await world.stop();
  });

  /** @param secret that may be nowhere in what is shown */
  const refuse = async (given: Readonly<Record<string, string>>, secret?: string): Promise<string> => {
    const main = await stage
      .job({ env: world.jobEnvironment() })
      .uses({ with: { ...usualInputs, ...given } });
    const { code, text } = told(main);
    expect([code, main.exitCode, world.aws.calls]).toEqual(['INPUT_INVALID', 2, []]);
    for (const line of (secret ?? '').split('\n').filter(({ length }) => length >= 16))
      expect(main.raw).not.toContain(line);
    return text;
  };

  it('with the input of webfactory/ssh-agent is told how to move', async () => {
    const text = await refuse({ keys: '', 'ssh-private-key': privateKey }, privateKey);
    expect(text).toMatch(
      /the input ssh-private-key is not an input.*\nhint: .*aws ssm put-parameter .*keys: \/ci\/deploy-key in its place/,
    );
  });

  it.each([
    ['ssh-auth-sock', '/tmp/agent.sock', 'the output ssh-auth-sock'],
    ['log-public-key', 'true', 'leave it out'],
    ['ssh-agent-cmd', '/usr/bin/ssh-agent', 'found on PATH'],
    ['ssh-add-cmd', '/usr/bin/ssh-add', 'found on PATH'],
    ['git-cmd', '/usr/bin/git', 'found on PATH'],
    ['inline-session-policy', '{}', 'write session-policy'],
    ['retry-max-attempts', '3', 'write max-attempts'],
    ['action-timeout-s', '60', 'write timeout-seconds'],
    ['aws-secret-access-key', secrets['AWS, secret access key'], 'role-to-assume'],
    ['role-chaining', 'true', 'one on each line'],
  ])('with the input %s of another action is told what to write', async (name, value, hint) => {
    const text = await refuse({ [name]: value }, value.length > 30 ? value : undefined);
    expect(text).toContain(`the input ${name} is not an input of this action`);
    expect(text.split('\nhint: ')[1]).toContain(hint);
  });

  it('with a secret in keys is told to store it', async () => {
    const text = await refuse({ keys: privateKey }, privateKey);
    expect(text).toMatch(/keys, line 1: this is the text of a key.*\nhint: .*put-parameter --name/);
  });

  it.each(Object.entries(secrets))('with a token in keys is told to store it: %s', async (_, secret) => {
    const text = await refuse({ keys: `/ci/key\n${secret} github.com/acme/lib` }, secret);
    expect(text).toMatch(/keys, line 2: this looks like a secret.*\nhint: store it/);
  });

  it.each([
    ['role-to-assume', secrets['AWS, secret access key']],
    ['aws-region', secrets.GitLab],
    ['key-lifetime', secrets.GitHub],
    ['allowed-account-ids', secrets['a JSON Web Token']],
    ['known-hosts', `${secrets.GitHub} ${secrets.GitLab} AAAA`],
    ['strict-host-key-checking', privateKey],
    ['timeout-seconds', secrets['GitHub, fine-grained']],
    ['keys', `/ci/key https://${secrets.GitHub}@github.com/acme/*/lib`],
    ['keys', `/ci/key passphrase=${secrets['AWS, secret access key']}`],
  ])('with a secret in %s does not repeat it', async (name, secret) => {
    const main = await stage.job().uses({ with: { ...usualInputs, [name]: secret } });
    expect(told(main).code).toMatch(/^(INPUT|KNOWN_HOSTS)_INVALID$/);
    for (const one of [...Object.values(secrets), ...privateKey.split('\n').slice(1, -2)])
      expect(main.raw).not.toContain(one);
  });

  it.each([
    ['as a list of YAML', '- /ci/lib\n- /ci/tools', /line 1: a hyphen .* list of YAML\nhint: .*"keys: \|"/],
    [
      'folded',
      '/ci/lib github.com/acme/lib /ci/tools',
      /line 1: .*\nhint: .*"keys: >" YAML joins .*"keys: \|"/,
    ],
    ['folded behind a comment', '# ours /ci/lib /ci/tools', /names no key\nhint: .*"keys: >" YAML joins/],
    [
      'with a note behind a key',
      '/ci/lib # of acme/lib\n/ci/tools',
      /line 1: a comment .*\nhint: .*line of its own/,
    ],
  ])('with keys %s is told what is meant', async (_, keys, text) => {
    expect(await refuse({ keys, 'role-to-assume': '' })).toMatch(text);
  });
});
