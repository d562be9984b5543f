/** The AWS SDK's files choose who reads the key: another file is another key. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect } from '@jest/globals';
import { ACCOUNT, allow, REGION } from '../../support/aws/world.ts';
import { program } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { itInRest, itInTurn as it } from '../../support/parts.ts';
import { useHost } from './use-host.ts';

describeOnHost('a key that is read with files of the AWS SDK', () => {
  const stand = useHost();
  const list = (folder = '.'): string => `git -C ${folder} ls-remote ${stand.git.url('acme/lib')} main`;
  const read = expect.objectContaining({ code: 0, stderr: '' });
  const denied = expect.objectContaining({
    code: 128,
    stderr: expect.stringMatching(/^ssm-ssh: KEY_ACCESS_DENIED: /) as unknown,
  });

  beforeEach(() => {
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE'])
      Reflect.deleteProperty(stand.host.env, name);
    stand.host.env['AWS_REGION'] = REGION;
  });

  /** Settings of a profile with access keys. */
  const keysOf = (name: string, mayRead: boolean): string => {
    const { accessKeyId, secretAccessKey } = stand.world.aws.iam.createAccessKey({
      userArn: `arn:aws:iam::${ACCOUNT}:user/${name}`,
      policies: mayRead ? [allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`)] : [],
    });
    return `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
  };

  it('is another one as soon as there is a new file in the home folder, and warm starts need no Node', async () => {
    const { host } = stand;
    const [aws, log, node] = ['.aws', 'started', 'node'].map((name) => join(host.home, name)) as [
      string,
      string,
      string,
    ];
    const script = `#!/bin/sh\n[ "$1" = --version ] || echo x >>'${log}'\nexec '${process.execPath}' "$@"\n`;
    writeFileSync(node, script, { mode: 0o755 });
    host.env['SSM_SSH_NODE'] = node;
    mkdirSync(aws);
    for (const name of ['', 'config']) {
      if (name) writeFileSync(join(aws, name), `[default]\nregion = ${REGION}\n`);
      expect(await host.run(list())).toEqual(read);
      const starts = readFileSync(log, 'utf8');
      expect(await host.run(list())).toEqual(read);
      expect(readFileSync(log, 'utf8')).toBe(starts);
    }
    writeFileSync(join(aws, 'credentials'), `[default]\n${keysOf('other', false)}`);
    expect(await host.run(list())).toEqual(denied);
    const calls = stand.calls();
    rmSync(join(aws, 'credentials'));
    expect(await host.run(list())).toEqual(read);
    expect(stand.calls()).toBe(calls);
  });

  it('is another one for the same relative path in another folder', async () => {
    const { host } = stand;
    for (const [folder, mayRead] of [
      ['one', true],
      ['two', false],
    ] as const) {
      mkdirSync(join(host.home, folder));
      writeFileSync(join(host.home, folder, 'aws'), `[profile p]\n${keysOf(folder, mayRead)}`);
    }
    const env = { AWS_PROFILE: 'p', AWS_CONFIG_FILE: 'aws' };
    expect(await host.run(list('one'), env)).toEqual(read);
    expect(await host.run(list('two'), env)).toEqual(denied);
    const calls = stand.calls();
    // The absolute path of the same file is the same key.
    expect(await host.run(list('one'), env)).toEqual(read);
    expect(await host.run(list(), { ...env, AWS_CONFIG_FILE: join(host.home, 'one/aws') })).toEqual(read);
    expect(stand.calls()).toBe(calls);
  });

  itInRest('is found with a relative path in a folder that was removed', async () => {
    const { host, git } = stand;
    const ssh = `${program} -p ${git.port} ${git.user}@${git.address} "git-upload-pack 'acme/lib.git'"`;
    const script = `mkdir w; cd w; rmdir ../w; ${ssh} </dev/null || true`;
    const { stdout } = await host.run(script, { AWS_CONFIG_FILE: 'aws' });
    expect(stdout).toContain('refs/heads/main');
  });
});
