/** docs/certificates.md: its commands do what it says, from the authority to a login, a renewal and a revocation. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { findSshd } from '../support/git-host/openssh-server.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { shellBlocks } from '../support/commands-in-documents.ts';
import { listCertificate } from '../support/keygen.ts';
import { itWith } from '../support/needs.ts';
import { itInTurn as it } from '../support/parts.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { launcher, openEc2Host, type Ec2Host, type Ended } from './ec2-host.ts';
import { writer } from './key-writer.ts';
import { actionPath } from './stage.ts';

const guide = 'docs/certificates.md';
const commands = shellBlocks.filter(({ document }) => document === guide).flatMap((block) => block.commands);

describe(guide, () => {
  let host: Ec2Host;
  let user: SshKey;
  let env: Record<string, string>;

  beforeEach(async () => {
    host = await openEc2Host();
    user = await makeSshKey({ comment: 'octo@laptop' });
    const parameters = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ssh/*`;
    const path = [join(host.folder, 'bin'), place('/usr/local/sbin'), dirname(launcher), process.env['PATH']];
    env = {
      ...writer(host, [
        allow('kms:*', '*'),
        allow(['ssm:PutParameter', 'ssm:GetParameter', 'ssm:DescribeParameters'], parameters),
      ]),
      PATH: path.join(':'),
    };
    for (const folder of ['/etc/ssh/sshd_config.d', '/etc/default', '/etc/systemd/system', '/usr/local/sbin'])
      mkdirSync(place(folder), { recursive: true });
    mkdirSync(join(host.folder, 'home/.ssh'));
    for (const file of ['home/.ssh/id_ed25519.pub', 'id_ed25519.pub'])
      writeFileSync(join(host.folder, file), `${user.publicKey}\n`);
    cpSync(join(actionPath, 'examples/host-certificate'), host.folder, { recursive: true });
    program('sudo', 'exec "$@"');
    program('systemctl', `echo "$*" >>${host.folder}/systemctl`);
    symlinkSync(process.execPath, join(host.folder, 'bin/node'));
    host.world.put('/ssh/host-ca', (await makeSshKey()).privateKey);
    const hostKey = await makeSshKey();
    writeFileSync(place('/etc/ssh/ssh_host_ed25519_key'), hostKey.privateKey, { mode: 0o600 });
    writeFileSync(place('/etc/ssh/ssh_host_ed25519_key.pub'), `${hostKey.publicKey}\n`);
  });
  afterEach(async () => {
    await host.close();
  });

  /** Where the host's own folder stands for the root of the disk. */
  const place = (path: string): string => join(host.folder, 'root', path);
  const inPlace = (text: string): string =>
    text.replaceAll(/(?<=^|[ =>"'])\/(etc|usr\/local\/sbin)\//gm, place('/$1/'));
  const program = (name: string, text: string): void => {
    const file = join(host.folder, 'bin', name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${text}\n`);
    chmodSync(file, 0o755);
  };
  const type = async (command: string): Promise<Ended> => {
    const ended = await host.start(['sh', '-c', inPlace(command)], { env }).ended;
    // The scripts that were installed name the same places.
    for (const name of ['renew-host-certificate', 'revoke-keys']) {
      const file = place(`/usr/local/sbin/${name}`);
      if (command.includes('install -m 755')) writeFileSync(file, inPlace(readFileSync(file, 'utf8')));
    }
    return ended;
  };
  const run = async (pattern: RegExp): Promise<Ended> => {
    const [command = '', more] = commands.filter((one) => pattern.test(one));
    expect([command === '', more]).toEqual([false, undefined]);
    const ended = await type(command);
    expect([command, ended.exitCode, withoutNotes(ended.stderr)]).toEqual([command, 0, '']);
    return ended;
  };
  /** Without what people are told: certify's summary and warning, and where keygen's key is pasted. */
  const withoutNotes = (text: string): string =>
    text.replaceAll(/^(ssm-ssh-agent: (stored|made|signed|warning: whoever) .*|Paste .*| .*)\n/gm, '');

  it('has commands that work one after the other', async () => {
    expect(commands).toHaveLength(16);
    const made: string[] = [];
    // The first block shows what an authority is for, and needs one.
    const sorted = [...commands].sort((one, other) => rank(one) - rank(other));
    for (const command of sorted) {
      const { exitCode, stderr } = await type(command);
      expect([command, exitCode, withoutNotes(stderr)]).toEqual([command, 0, '']);
      made.push(command);
    }
    expect(made).toHaveLength(commands.length);
    const certificate = readFileSync(join(host.folder, 'home/.ssh/id_ed25519-cert.pub'), 'utf8').trim();
    expect(listCertificate(certificate)).toMatch(/Principals: \n\s+deploy\n[^]*Extensions: \n\s+permit-pty/);
    expect(readFileSync(place('/etc/ssh/principals/deploy'), 'utf8')).toBe('deploy\n');
    expect(readFileSync(join(host.folder, 'systemctl'), 'utf8')).toBe(
      'reload ssh\nenable --now renew-host-certificate.timer\n',
    );
  });
  const rank = (command: string): number => (command.includes('keygen kms:alias/user-ca') ? 0 : 1);

  itWith('sshd')('leaves settings that sshd accepts, with the certificate of the timer', async () => {
    await run(/keygen kms:alias\/user-ca/);
    for (const pattern of [
      /public kms:alias\/user-ca/,
      /touch/,
      /sshd_config\.d/,
      /echo CA=/,
      /install -m 755/,
    ])
      await run(pattern);
    // As the service starts it: with the settings of its file.
    const renewed = await host.start(
      [
        'sh',
        '-c',
        inPlace('set -a; . /etc/default/renew-host-certificate; NAMES=web-1; exec renew-host-certificate'),
      ],
      { env },
    ).ended;
    expect([renewed.exitCode, withoutNotes(renewed.stderr)]).toEqual([0, '']);
    const settings = inPlace(readFileSync(place('/etc/ssh/sshd_config.d/60-certificates.conf'), 'utf8'));
    const file = join(host.folder, 'sshd_config');
    writeFileSync(file, `HostKey ${place('/etc/ssh/ssh_host_ed25519_key')}\nPort 2222\n${settings}`);
    const { status, stdout } = spawnSync(findSshd() ?? '', ['-T', '-f', file], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toContain(`trustedusercakeys ${place('/etc/ssh/user-ca.pub')}\n`);
    expect(stdout).toContain(`revokedkeys ${place('/etc/ssh/revoked_keys')}\n`);
    expect(stdout).toContain(`hostcertificate ${place('/etc/ssh/ssh_host_ed25519_key-cert.pub')}\n`);
  });

  it('leaves no half of a certificate where the authority does not sign', async () => {
    for (const pattern of [
      /keygen kms:alias\/user-ca/,
      /public kms:alias\/user-ca/,
      /touch/,
      /install -m 755/,
    ])
      await run(pattern);
    const files = (): string[] => readdirSync(place('/etc/ssh')).sort();
    const before = files();
    const failing = inPlace('NAMES=web-1 CA=kms:alias/none exec renew-host-certificate');
    const { exitCode, stderr } = await host.start(['sh', '-c', failing], { env }).ended;
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('KEY_NOT_FOUND')]);
    expect(files()).toEqual(before);
  });

  it('revokes what it says: certificates by number, and a key', async () => {
    for (const pattern of [
      /keygen kms:alias\/user-ca/,
      /public kms:alias\/user-ca/,
      /touch/,
      /install -m 755/,
    ])
      await run(pattern);
    await run(/revoke-keys --serial/);
    const query = (file: string): number | null =>
      spawnSync('ssh-keygen', ['-Q', '-f', place('/etc/ssh/revoked_keys'), join(host.folder, file)]).status;
    expect(query('id_ed25519.pub')).toBe(0);
    await run(/revoke-keys id_ed25519\.pub/);
    expect(query('id_ed25519.pub')).toBe(1);
  });
});
