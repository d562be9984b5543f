import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { installed } from '../support/needs.ts';
import type { Job } from '../support/runner/job.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { openStage, told, type Stage } from './stage.ts';

interface Client {
  /** The repository that it installs from; it needs nothing from anywhere else. */
  readonly files: Readonly<Record<string, string>>;
  /** @param url `ssh://…` */
  readonly install: (url: string) => string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A package that brings its own build: pip would fetch setuptools and wheel from elsewhere (PEP 517, in-tree backend). */
const pyproject = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n';
const wheelBackend = `
import zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = 'private_lib-1.2.3-py3-none-any.whl'
    info = 'private_lib-1.2.3.dist-info/'
    with zipfile.ZipFile(directory + '/' + name, 'w') as wheel:
        wheel.writestr('private_lib.py', 'answer = 42\\n')
        wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: private-lib\\nVersion: 1.2.3\\n')
        wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
        wheel.writestr(info + 'RECORD', '')
    return name
`;
import { hasRest, hasSample } from '../support/parts.ts';

const clients: Readonly<Record<'npm' | 'pip' | 'cargo' | 'go', Client>> = {
  npm: {
    files: {
      'package.json': '{"name":"private-lib","version":"1.2.3"}',
      'index.js': 'module.exports = 42;\n',
    },
    install: (url) =>
      `npm init --yes >/dev/null && npm install --no-audit --no-fund --silent 'git+${url}' && node -p "'got ' + require('private-lib')"`,
  },
  pip: {
    files: { 'pyproject.toml': pyproject, 'backend.py': wheelBackend },
    install: (url) =>
      `python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --no-index --target out 'git+${url}' && PYTHONPATH=out python3 -c 'import private_lib; print("got", private_lib.answer)'`,
  },
  cargo: {
    files: {
      'Cargo.toml': '[package]\nname = "private-lib"\nversion = "1.2.3"\nedition = "2021"\n',
      'src/lib.rs': 'pub fn answer() -> i32 { 42 }\n',
    },
    install: (url) => `
      mkdir -p src && echo 'fn main() {}' > src/main.rs
      printf '[package]\\nname = "app"\\nversion = "0.1.0"\\nedition = "2021"\\n[dependencies]\\nprivate-lib = { git = "%s" }\\n' '${url}' > Cargo.toml
      cargo fetch --quiet && grep -q 'name = "private-lib"' Cargo.lock && echo got 42`,
    env: {
      CARGO_NET_GIT_FETCH_WITH_CLI: 'true',
      RUSTUP_HOME: process.env['RUSTUP_HOME'] ?? join(homedir(), '.rustup'),
    },
  },
  go: {
    files: {
      'go.mod': 'module private.test/acme/go-lib.git\n\ngo 1.18\n',
      'lib.go': 'package lib\n\nconst Answer = 42\n',
    },
    install: (url) => `
      git config --global url.'${url.replace(/acme\/go.*/, '')}'.insteadOf https://private.test/
      go mod init app.test/app 2>/dev/null && go get private.test/acme/go-lib.git@main 2>/dev/null
      grep -q private.test/acme/go-lib.git go.mod && echo got 42`,
    env: { GOPRIVATE: 'private.test', GOFLAGS: '-mod=mod' },
  },
};
/** npm is on every machine that has the project; the others are in the rest. */
const clientsHere = Object.entries(clients).filter(
  ([name]) => (name === 'npm' ? hasSample : hasRest) && installed(name as keyof typeof clients),
);

describe('a package from a private repository, among other keys', () => {
  let stage: Stage;
  let world: ReadyWorld;
  const keys = new Map<string, SshKey>();

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld()]);
    for (const [name, { files }] of clientsHere) {
      const key = await makeSshKey();
      keys.set(name, key);
      await stage.host.createRepository(`acme/${name}-lib`, { files });
      stage.host.addDeployKey({ repository: `acme/${name}-lib`, publicKey: key.publicKey });
      world.put(`/ci/${name}`, key.privateKey);
    }
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop()]);
  });

  const openJob = async (env: Client['env']): Promise<Job> => {
    const { host } = stage;
    const job = stage.job({ env: { ...world.jobEnvironment(), ...env } });
    const lines = clientsHere.map(
      ([name]) => `/ci/${name} ${host.address}:${String(host.port)}/acme/${name}-lib`,
    );
    const inputs = { 'aws-region': REGION, 'role-to-assume': ROLE_ARN, 'known-hosts': host.knownHosts };
    expect(told(await job.uses({ with: { keys: lines.join('\n'), ...inputs } })).text).toBe('');
    return job;
  };

  it.each(clientsHere)('is installed by %s, by its own key', async (name, { install, env }) => {
    const job = await openJob(env);
    const { log } = await job.run(install(stage.host.url(`acme/${name}-lib`)));
    expect(log).toContain('got 42');
    const seen = (await stage.host.log()).filter(({ command }) => command?.includes(`acme/${name}-lib`));
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen.flatMap(({ offered }) => offered))).toEqual(new Set([keys.get(name)?.fingerprint]));
  });
});
