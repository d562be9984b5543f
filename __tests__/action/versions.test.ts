import { describe, expect, it } from '@jest/globals';
import { ProgramNotFound } from '../../src/process/program-not-found.ts';
import type { Run } from '../../src/process/run.ts';
import { forRestrictions, requireSsh } from '../../src/action/versions.ts';

const { signal } = new AbortController();
const ask = (stderr: string): Promise<void> => {
  const run: Run = () => Promise.resolve({ exitCode: 0, stdout: '', stderr });
  return requireSsh(forRestrictions, { env: {}, signal, run });
};

describe('the version of ssh for restrict-to-hosts', () => {
  it.each([
    'OpenSSH_8.9p1 Ubuntu-3, OpenSSL 3.0.2',
    'OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026',
    'OpenSSH_10.0p2, LibreSSL 3.3.6',
    'OpenSSH_for_Windows',
    'Dropbear v2022.83',
    '',
  ])('may be %j', async (stderr) => {
    await expect(ask(stderr)).resolves.toBeUndefined();
  });

  it.each([
    ['OpenSSH_8.8p1, OpenSSL 1.1.1', 'OpenSSH_8.8p1'],
    ['OpenSSH_7.9p1 Debian', 'OpenSSH_7.9p1'],
  ])('is too old: %j', async (stderr, version) => {
    await expect(ask(stderr)).rejects.toMatchObject({
      code: 'AGENT_FAILED',
      message: `restrict-to-hosts needs OpenSSH 8.9, this is ${version}`,
    });
  });

  it('is AGENT_NOT_FOUND with the package to install if there is no ssh', async () => {
    const run: Run = () => Promise.reject(new ProgramNotFound('ssh is not on PATH'));
    await expect(requireSsh(forRestrictions, { env: {}, signal, run })).rejects.toMatchObject({
      code: 'AGENT_NOT_FOUND',
      hint: expect.stringContaining('apt-get install openssh-client'),
    });
  });
});
