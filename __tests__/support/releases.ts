/** Releases of the package on a local server, as release.yml makes them: the packed checkout, and the same as a later version. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = dirname(dirname(import.meta.dirname));
export const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
};
export const nextVersion = '99.0.0';

export interface Releases {
  /** `http://127.0.0.1:PORT`, like `https://github.com/OWNER/ssm-ssh-agent/releases/download`. */
  readonly origin: string;
  /** The SHA-256 of a version's tarball. */
  checksum(version: string): string;
  /** Paths that were asked for. */
  readonly asked: readonly string[];
  stop(): void;
}

export async function startReleases(): Promise<Releases> {
  const folder = mkdtempSync(join(tmpdir(), 'releases-'));
  const tarball = (name: string): string => join(folder, `v${name}`, `ssm-ssh-agent-${name}.tgz`);
  const checksum = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(tarball(name)))
      .digest('hex');
  for (const name of [version, nextVersion]) {
    const into = join(folder, `v${name}`);
    mkdirSync(into);
    const args = ['pack', '--silent', '--pack-destination', into];
    if (name === version) execFileSync('npm', args, { cwd: root });
    else {
      execFileSync('tar', ['-xzf', tarball(version), '-C', folder]);
      const file = join(folder, 'package/package.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace(`"${version}"`, `"${name}"`));
      execFileSync('npm', args, { cwd: join(folder, 'package') });
    }
    const sums = `${checksum(name)}  ssm-ssh-agent-${name}.tgz\n${'0'.repeat(64)}  ssm-ssh-agent-${name}.cdx.json\n`;
    writeFileSync(join(into, 'SHA256SUMS'), sums);
  }
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const file = join(folder, url);
    response.writeHead(existsSync(file) ? 200 : 404).end(existsSync(file) ? readFileSync(file) : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    checksum,
    asked,
    stop: () => {
      server.close();
      // A client that has sent nothing yet would keep it open.
      server.closeAllConnections();
      rmSync(folder, { recursive: true });
    },
  };
}
