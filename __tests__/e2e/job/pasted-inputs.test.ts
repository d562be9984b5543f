/** What people bring along from other actions, and paste into inputs: they are told how to move, and no secret is repeated. */
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { usualInputs } from '../../support/bad-inputs/bad-input.ts';
import { tokens } from '../../support/tokens.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';
import { told, useStage } from '../stage.ts';
import { itInTurn as it } from '../../support/parts.ts';

const { privateKey } = await makeSshKey();
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

  it('with a secret in keys is told to store it', async () => {
    const text = await refuse({ keys: privateKey }, privateKey);
    expect(text).toMatch(/keys, line 1: this is the text of a key.*\nhint: .*put-parameter --name/);
  });

  it('with a token in keys is told to store it', async () => {
    const text = await refuse({ keys: `/ci/key\n${tokens.GitHub} github.com/acme/lib` }, tokens.GitHub);
    expect(text).toMatch(/keys, line 2: this looks like a secret.*\nhint: store it/);
  });

  it.each([
    ['role-to-assume', tokens['AWS, secret access key']],
    ['known-hosts', `${tokens.GitHub} ${tokens.GitLab} AAAA`],
    ['strict-host-key-checking', privateKey],
  ])('with a secret in %s does not repeat it', async (name, secret) => {
    const main = await stage.job().uses({ with: { ...usualInputs, [name]: secret } });
    expect(told(main).code).toMatch(/^(INPUT|KNOWN_HOSTS)_INVALID$/);
    for (const one of [...Object.values(tokens), ...privateKey.split('\n').slice(1, -2)])
      expect(main.raw).not.toContain(one);
  });
});
