/** A missing profile is an error in every program: the instance's credentials belong to somebody else. */
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { program, project } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { useHost } from './use-host.ts';
import { itInTurn as it } from '../../support/parts.ts';

const agent = join(project, 'helper/ssm-ssh-agent');
const credentialHelper = join(project, 'helper/git-credential-ssm');
const asked = "printf 'protocol=https\\nhost=git.test\\npath=a/b\\nusername=u\\npassword=p\\n\\n'";
const named = { SSM_SSH_CREDENTIAL: '/ci/token', SSM_SSH_CREDENTIAL_HOST: 'git.test' };

describeOnHost('a missing profile', () => {
  const stand = useHost();

  const lines: readonly (readonly [string, Readonly<Record<string, string>>?])[] = [
    [`${program} host.test true`],
    [`${program} ec2-user@i-0123456789abcdef0 true`],
    [`${program} ec2-user@Name=web-1 true`],
    [`${agent} exec --key /ci/key -- true`],
    [`${agent} add --agent /ci/key`],
    [`${agent} proxy i-0123456789abcdef0 22 ec2-user`],
    [`${agent} proxy Name=web-1 22`],
    [`${asked} | ${credentialHelper} get`, named],
    [`${asked} | ${credentialHelper} --store-prefix /git get`],
    [`${asked} | ${credentialHelper} --store-prefix /git store`],
    [`${asked} | ${credentialHelper} --store-prefix /git erase`],
  ];
  it.each(lines)('is CREDENTIALS_MISSING, and no other credentials are used: %s', async (line, more = {}) => {
    for (const role of ['', 'arn:aws:iam::111122223333:role/x']) {
      const env = { AWS_PROFILE: 'nobody', AWS_REGION: 'eu-west-1', SSM_SSH_ROLE_ARN: role, ...more };
      const { stderr, code } = await stand.host.run(line, env);
      expect([code === 0, stderr]).toEqual([
        false,
        expect.stringContaining('CREDENTIALS_MISSING') as unknown,
      ]);
      expect(stderr).toContain('nobody');
    }
    const services = stand.world.aws.calls.map(({ service, operation }) => `${service} ${operation}`);
    expect(services.filter((name) => !name.startsWith('imds'))).toEqual([]);
  });

  it.each(['exec --key /ci/key -- true', 'add --agent /ci/key', 'proxy i-0123456789abcdef0 22'])(
    'is CREDENTIALS_MISSING with --profile: %s',
    async (words) => {
      const [command = '', ...rest] = words.split(' ');
      const line = `${agent} ${command} --profile nobody --region eu-west-1 ${rest.join(' ')}`;
      const { stderr, code } = await stand.host.run(line);
      expect([code, stderr]).toEqual([1, expect.stringContaining('CREDENTIALS_MISSING') as unknown]);
    },
  );
});
