/** What the documents tell people to type into the AWS CLI: run with the real one, against moto. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startBackend, type Backend } from '../../support/backend.ts';
import { templateFolder, templateNames } from '../../support/cloudformation.ts';
import { commandsInProse, shellBlocks } from '../../support/commands-in-documents.ts';
import { installed } from '../../support/needs.ts';
import { actionPath } from '../stage.ts';

/** Programs whose commands this test runs; the others of a block are run by the tests of the programs. */
const runHere = /^(aws|cat|jq|printf|read|rm|ssh-keygen|tr) /;
/**
 * moto has no sign-in and no event history, and fails with 500 if instance information has a filter. The endpoints need
 * a VPC that is there: templates.test.ts makes them.
 */
const notInMoto =
  /^aws (sso login|cloudtrail lookup-events|ssm describe-instance-information|cloudformation deploy .*VpcId=vpc-)/;

const blocks = shellBlocks
  .map((block) => ({ ...block, commands: block.commands.filter((command) => runHere.test(command)) }))
  .filter(({ commands }) => commands.some((command) => /(^|\| )aws /.test(command)))
  .map((block) => ({ ...block, title: `${block.document}: ${block.commands.join('; ').slice(0, 100)}` }));

/** Those in sentences, each alone; the others of them are in a block, too. */
const inProse = commandsInProse
  .map(({ command }) => command)
  .filter((command) => command.startsWith('aws ') && !notInMoto.test(`${command} `));

it('finds the AWS commands of the documents', () => {
  expect([blocks.length > 9, inProse.length > 3]).toEqual([true, true]);
});

const { MOTO_ENDPOINT } = process.env;
if (MOTO_ENDPOINT !== undefined && installed('aws') && installed('jq')) {
  describe('the AWS CLI', () => {
    let backend: Backend;
    let folder: string;
    let instance: string;

    // Several documents make the same role: each gets an account without it.
    beforeEach(async () => {
      backend = await startBackend();
      instance = await backend.launch({ tags: { Name: 'web-1' }, state: 'running' });
      folder = mkdtempSync(join(tmpdir(), 'guide-'));
      for (const from of ['examples/ec2', 'examples/ec2-hosts'])
        for (const name of readdirSync(join(actionPath, from)).filter((file) => file.endsWith('.json')))
          copyFileSync(join(actionPath, from, name), join(folder, name));
      for (const name of templateNames)
        copyFileSync(join(templateFolder, `${name}.yml`), join(folder, `${name}.yml`));
      writeFileSync(join(folder, 'deploy-key'), 'key');
      const readme = readFileSync(join(actionPath, 'README.md'), 'utf8');
      const [trust = '', permissions = ''] = [...readme.matchAll(/```json\n(.*?)```/gs)].map(
        ([, text = '']) => text,
      );
      writeFileSync(join(folder, 'trust.json'), trust);
      writeFileSync(join(folder, 'permissions.json'), permissions);
      const pem = '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n';
      for (const name of ['app.pem', 'app.private-key.pem']) writeFileSync(join(folder, name), pem);
    });
    afterEach(async () => {
      rmSync(folder, { recursive: true });
      await backend.stop();
    });

    it.each(blocks.map((block) => [block.title, block] as const))('takes %s', (_, { commands }) => {
      const script = commands.filter((command) => !notInMoto.test(command)).join('\n');
      const [, role] = /RoleName=(\S+)/.exec(script) ?? [];
      if (role !== undefined) expect(run(roleOf(role))).toMatchObject({ stderr: '', status: 0 });
      expect(run(script)).toMatchObject({ stderr: '', status: 0 });
    });

    it.each(inProse)('takes %s', (command) => {
      const places = { HOSTNAME: 'git.example.com', ARN: '"$(jq -r .OpenIDConnectProviderArn made)"' };
      const script = Object.entries(places).reduce(
        (text, [place, here]) => text.replace(place, here),
        command,
      );
      const issuer = 'https://token.actions.githubusercontent.com';
      const provider = `aws iam create-open-id-connect-provider --url ${issuer} --client-id-list sts.amazonaws.com`;
      expect(run(`${provider} >made\n${script}`)).toMatchObject({ stderr: '', status: 0 });
    });

    const roleOf = (name: string): string =>
      `aws iam create-role --role-name ${name} --assume-role-policy-document file://trust.json >made`;

    const run = (script: string): { status: number | null; stderr: string } =>
      spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', forThisInstance(script)], {
        cwd: folder,
        input: 'glpat-token-that-is-typed\n',
        encoding: 'utf8',
        env: {
          ...process.env,
          AWS_ENDPOINT_URL: MOTO_ENDPOINT,
          AWS_DEFAULT_REGION: backend.region,
          AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
          AWS_SECRET_ACCESS_KEY: 'moto does not check it',
          AWS_PAGER: '',
        },
      });

    const forThisInstance = (script: string): string => script.replaceAll('i-0123456789abcdef0', instance);
  });
}
