/** The block of ~/.ssh/config that setup prints, as ssh itself reads it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sshConfigLines } from '../../helper/setup/lines.ts';
import { attacks, hostNames, lookalikes } from '../support/ec2-host-names.ts';

const places = { runtime: '/run/user/none', otherwise: '/otherwise', name: 'name' };

describe("setup's block of ~/.ssh/config", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'setup-ssh-config-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** The ProxyCommand for a host, or undefined. */
  const proxyFor = (host: string, above = ''): string | undefined => {
    const file = join(folder, 'config');
    writeFileSync(file, `${above}${sshConfigLines('/opt/ssm-ssh-agent', places)}`);
    const { stdout, stderr } = spawnSync('ssh', ['-T', '-F', file, '-G', host], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return /^proxycommand (.*)$/m.exec(stdout)?.[1];
  };

  // TAG=VALUE is for ssm-ssh: plain ssh is told the ids only.
  const ids = Object.entries(hostNames).filter(([, kind]) => kind !== 'tag');
  it.each(ids)('uses the tunnel for %s if it is an id (%s)', (host, kind) => {
    expect(proxyFor(host)).toBe(kind && "/opt/ssm-ssh-agent proxy --state /otherwise/name -- '%h' %p '%r'");
  });

  it.each(lookalikes)('does not match %s', (host) => {
    expect(proxyFor(host)).toBeUndefined();
  });

  it.each(attacks)('does not run commands in the user name %s of a submodule URL', (user) => {
    const program = join(folder, 'program');
    writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$@" >'${folder}/words'\n`, { mode: 0o755 });
    const file = join(folder, 'config');
    // In front of the block, ssh takes it unchecked; on the command line some versions refuse it (CVE-2023-51385).
    writeFileSync(file, `User "${user}"\n${sshConfigLines(program, places)}`);
    rmSync(join(folder, 'words'), { force: true });
    const host = 'i-0123456789abcdef0';
    const args = ['-F', file, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=1', host];
    spawnSync('ssh', args, { cwd: folder, encoding: 'utf8' });
    expect(existsSync(join(folder, 'touched'))).toBe(false);
    const words = existsSync(join(folder, 'words')) ? readFileSync(join(folder, 'words'), 'utf8') : '';
    // A quote would end ours: ssh has no such ProxyCommand then.
    expect(words).toBe(
      user.includes("'") ? '' : `proxy\n--state\n/otherwise/name\n--\n${host}\n22\n${user}\n`,
    );
  });

  it("matches people's own names for a host, which stand above it", () => {
    const names = 'Host web\n  HostName i-0123456789abcdef0\nHost other\n  HostName other.example.com\n';
    expect([proxyFor('web', names), proxyFor('other', names)]).toEqual([expect.any(String), undefined]);
  });

  it('matches an id in capitals', () => {
    expect(proxyFor('I-0123456789ABCDEF0')).toBeDefined();
  });
});
