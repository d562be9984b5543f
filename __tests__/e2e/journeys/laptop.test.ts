/** A laptop outside AWS reaches an EC2 instance by plain ssh, with a profile of the AWS configuration. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect } from '@jest/globals';
import { ACCOUNT, REGION } from '../../support/aws/world.ts';
import { project } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { reachHosts } from '../../support/reachable-ec2.ts';
import { useEc2 } from '../ec2/use-ec2.ts';

const agent = join(project, 'helper/ssm-ssh-agent');

describeOnHost('a laptop with a profile, and an EC2 instance', () => {
  const stage = useEc2();

  beforeEach(() => {
    const { host, world } = stage;
    for (const name of ['SSM_SSH_VIA', 'GIT_SSH_COMMAND', 'AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE'])
      Reflect.deleteProperty(host.env, name);
    // Nobody listens there: this machine is no instance.
    host.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = 'http://127.0.0.1:9';
    const { accessKeyId, secretAccessKey } = world.aws.iam.createAccessKey({
      userArn: `arn:aws:iam::${ACCOUNT}:user/me`,
      policies: reachHosts,
    });
    mkdirSync(join(host.home, '.aws'));
    writeFileSync(join(host.home, '.aws/config'), `[profile dev]\nregion = ${REGION}\n`);
    writeFileSync(
      join(host.home, '.aws/credentials'),
      `[dev]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
      { mode: 0o600 },
    );
  });

  const setup = `${agent} setup --global --via session-manager >>config`;

  it('logs in by plain ssh and the printed block, and leaves nothing in the configuration', async () => {
    const { host, target } = stage;
    const { stdout } = await host.run(
      `${setup}
      export AWS_PROFILE=dev
      ssh -F config ${target} echo hello
      ${agent} setup --global --remove 2>told
      ${agent} flush
      git config --global --get-regexp '^ssm' || echo nothing
      grep -A9 hint: told`,
    );
    expect(stdout).toMatch(/^hello\nnothing\nhint: [^]*~\/\.ssh\/config/);
    expect([host.processes(), existsSync(host.state)]).toEqual([[], false]);
  });

  it.each([
    [
      'no profile is named',
      '',
      /hint: on EC2 give the instance a role; elsewhere .*aws sso login --profile NAME, export AWS_PROFILE=NAME/,
    ],
    [
      'the profile has no credentials',
      'AWS_PROFILE=empty',
      /hint: check the profile: .* aws sso login --profile empty/,
    ],
  ])('says how to sign in where %s', async (_, variable, hint) => {
    const { host, target } = stage;
    writeFileSync(join(host.home, '.aws/config'), `[profile empty]\nregion = ${REGION}\n`);
    const { code, stderr } = await host.run(
      `${setup}; ${variable} AWS_REGION=${REGION} ssh -F config -o BatchMode=yes ${target} true`,
    );
    expect(code).toBe(255);
    expect(stderr).toMatch(/ssm-ssh-agent: CREDENTIALS_MISSING: /);
    expect(stderr).toMatch(hint);
  });
});
