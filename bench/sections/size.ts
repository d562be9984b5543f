/** Bytes of what is shipped, bytes that main loads before its first request, and its processor time by part. */
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { basename, dirname, join } from 'node:path';
import { REGION, ROLE_ARN } from '../../__tests__/support/aws/world.ts';
import { createJob } from '../../__tests__/support/runner/job.ts';
import { makeSshKey } from '../../__tests__/support/ssh-keys.ts';
import { done } from '../chain.ts';
import { loopback } from '../networks.ts';
import { single, type Figure, type Section } from '../results.ts';

const root = dirname(dirname(import.meta.dirname));
const dist = join(root, 'dist');
const entries = ['main', 'post', 'programs'];

function sizes(): Record<string, Figure> {
  const figures: Record<string, Figure> = {};
  for (const entry of entries) {
    const files = readdirSync(join(dist, entry)).filter((name) => name.endsWith('index.js'));
    const sizeOf = (name: string): number => statSync(join(dist, entry, name)).size;
    const all = files.reduce((sum, name) => sum + sizeOf(name), 0);
    figures[`dist/${entry}, the entry`] = single(sizeOf('index.js'), 'bytes');
    figures[`dist/${entry}, with its ${files.length - 1} chunks`] = single(all, 'bytes');
  }
  return figures;
}

/** Writes the path of each module that is loaded to a file. */
const hook = (log: string): string =>
  `import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) appendFileSync(${JSON.stringify(log)}, new URL(url).pathname + '\\n');
    return next(url, context);
  },
});`;

/** Takes the place of GitHub's token service: notes what main has loaded when it asks, and answers nothing. */
async function firstRequest(log: string): Promise<{ server: Server; loaded: Promise<string[]> }> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const loaded = once(server, 'request').then(([request, response]) => {
    const paths = readFileSync(log, 'utf8').trim().split('\n');
    (response as { writeHead: (status: number) => { end: () => void } }).writeHead(403).end();
    (request as { resume: () => void }).resume();
    return paths.filter((path) => path.startsWith(dist));
  });
  return { server, loaded };
}

async function loadedBeforeRequest(folder: string): Promise<string[]> {
  const [log, preload] = [join(folder, 'loaded'), join(folder, 'hook.mjs')];
  writeFileSync(log, '');
  writeFileSync(preload, hook(log));
  const { server, loaded } = await firstRequest(log);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?api-version=2.0`;
  const oidc = { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'token' };
  const job = createJob({ actionPath: root, env: { ...oidc, NODE_OPTIONS: `--import=${preload}` } });
  try {
    await job.uses({ with: { keys: '/ci/key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN } });
    return await loaded;
  } finally {
    job.dispose();
    server.close();
  }
}

interface Frame {
  readonly url: string;
  readonly functionName: string;
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Milliseconds of one successful main, by the file whose code ran. */
async function profileMain(folder: string): Promise<Record<string, Figure>> {
  const [network, key] = await Promise.all([loopback(), makeSshKey()]);
  network.world.put('/ci/key', key.privateKey);
  const profiles = mkdtempSync(join(folder, 'profile-'));
  const node = join(folder, 'node');
  const profiling = `--cpu-prof --cpu-prof-interval=200 --cpu-prof-dir='${profiles}'`;
  writeFileSync(node, `#!/bin/bash\nexec '${process.execPath}' ${profiling} "$@"\n`, { mode: 0o755 });
  const job = createJob({ actionPath: root, nodePath: node, env: network.environment });
  try {
    done(await job.uses({ with: { keys: '/ci/key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN } }));
  } finally {
    job.dispose();
    await network.stop();
  }
  const [file = ''] = readdirSync(profiles);
  return partsOf(JSON.parse(readFileSync(join(profiles, file), 'utf8')) as Profile);
}

function partsOf({ nodes, samples, timeDeltas }: Profile): Record<string, Figure> {
  const times = new Map<string, number>();
  const names = new Map(nodes.map(({ id, callFrame }) => [id, partOf(callFrame)]));
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '';
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[index] ?? 0) / 1000);
  }
  const sorted = [...times].sort(([, one], [, other]) => other - one).slice(0, 8);
  return Object.fromEntries(sorted.map(([name, time]) => [`time of main in ${name}`, single(time, 'ms')]));
}

/** What has no file is V8's own. */
const parts: Readonly<Record<string, string>> = {
  '(idle)': 'nothing: it waits',
  '(program)': 'V8: compiling, and native code',
  '(garbage collector)': 'V8: collecting garbage',
};

function partOf({ url, functionName }: Frame): string {
  if (url.startsWith('node:')) return 'modules of Node';
  return url === '' ? (parts[functionName] ?? 'native functions') : `dist/main/${basename(url)}`;
}

export const size: Section = {
  name: 'size',
  title: 'Sizes and parts',
  about: `Bytes of each entry in \`dist\`. "before the first request" is what main has loaded when its request for the OIDC token arrives. The times are from \`--cpu-prof\` of one successful main; the profiler makes everything slower.`,
  run: async ({ folder }) => {
    const loaded = await loadedBeforeRequest(folder);
    const bytes = loaded.reduce((sum, path) => sum + statSync(path).size, 0);
    return {
      ways: {},
      figures: {
        ...sizes(),
        'main, bytes before the first request': single(bytes, 'bytes'),
        'main, files before the first request': single(loaded.length),
        ...(await profileMain(folder)),
      },
      notRun: [],
    };
  },
};
