/** The block of ~/.ssh/config that setup prints, as ssh itself reads it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sshConfigLines } from '../../helper/setup/lines.ts';
import { hostNames, lookalikes } from '../support/ec2-host-names.ts';

describe("setup's block of ~/.ssh/config", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'setup-ssh-config-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** The ProxyCommand for a host, or undefined. */
  const proxyFor = (host: string): string | undefined => {
    const file = join(folder, 'config');
    writeFileSync(file, sshConfigLines('/opt/ssm-ssh-agent', '/state'));
    const { stdout, stderr } = spawnSync('ssh', ['-T', '-F', file, '-G', host], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return /^proxycommand (.*)$/m.exec(stdout)?.[1];
  };

  // TAG=VALUE is for ssm-ssh: plain ssh is told the ids only.
  const ids = Object.entries(hostNames).filter(([, kind]) => kind !== 'tag');
  it.each(ids)('leads %s to the tunnel where it is an id (%s)', (host, kind) => {
    expect(proxyFor(host)).toBe(kind && '/opt/ssm-ssh-agent proxy %n %p %r');
  });

  it.each(lookalikes)('leaves %s alone', (host) => {
    expect(proxyFor(host)).toBeUndefined();
  });

  it('takes an id in capitals', () => {
    expect(proxyFor('I-0123456789ABCDEF0')).toBeDefined();
  });
});
