/** `npm run test:moto`: starts moto_server on a free port and runs every end-to-end scenario that it supports. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const host = '127.0.0.1';

/** moto does not accept port 0. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, host);
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function startMoto(port: number): Promise<ChildProcess | undefined> {
  const moto = spawn('moto_server', ['-H', host, '-p', String(port)], { stdio: 'ignore' });
  const missing = new Promise<'missing'>((resolve) =>
    moto.once('error', () => {
      resolve('missing');
    }),
  );
  for (let waited = 0; waited < 60_000; waited += 200) {
    const state = await Promise.race([missing, sleep(200)]);
    if (state === 'missing') return undefined;
    if (moto.exitCode !== null) throw new Error(`moto_server ended with exit code ${String(moto.exitCode)}`);
    const answer = await fetch(`http://${host}:${port}/moto-api/`).catch(() => undefined);
    if (answer?.ok) return moto;
  }
  moto.kill();
  throw new Error('moto_server did not answer within a minute');
}

const port = await freePort();
const moto = await startMoto(port);
if (!moto) {
  console.error(
    '!!! NOT RUN: the scenarios against moto. moto_server is not on PATH: pip install "moto[server]"',
  );
  process.exit(process.env['CI'] === 'true' ? 1 : 0);
}
// All tests share one moto and empty it, so files run one after the other.
const jest = [
  '--experimental-vm-modules',
  'node_modules/jest/bin/jest.js',
  '--runInBand',
  '__tests__/e2e/scenarios',
];
const { status } = spawnSync(process.execPath, [...jest, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, TESTS: 'all', MOTO_ENDPOINT: `http://${host}:${port}` },
});
moto.kill();
process.exit(status ?? 1);
