/**
 * Part of `npm run bench`: measures doctor on a sound host with a key, a token, a repository and an EC2 host, against the
 * local AWS. Milliseconds.
 */
import { agentProgram, DoctorStage, target } from '../__tests__/e2e/doctor/stage.ts';
import { startGitHost } from '../__tests__/support/git-host/git-host.ts';
import { makeSshKey } from '../__tests__/support/ssh-keys.ts';

const runs = Number(process.env['RUNS'] ?? 15);
/** Of the slowest run. */
const most = 3_000;

const [git, key] = await Promise.all([startGitHost(), makeSshKey()]);
await git.createRepository('acme/lib');
git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey });
const stage = await DoctorStage.open(git, key);

const ways = {
  doctor: [],
  'doctor --url --host': ['--url', stage.url, '--host', target],
} as const;

const took: Record<keyof typeof ways, number[]> = { doctor: [], 'doctor --url --host': [] };
try {
  for (let i = 0; i < runs; i++) {
    for (const [name, args] of Object.entries(ways) as [keyof typeof ways, readonly string[]][]) {
      const { code, stdout, stderr, took: milliseconds } = await stage.run(args);
      if (code !== 0) throw new Error(`${agentProgram} ${args.join(' ')}: ${stdout}${stderr}`);
      took[name].push(milliseconds);
    }
  }
} finally {
  await stage.close();
  await git.stop();
}

const sorted = Object.entries(took).map(([name, times]) => [name, times.toSorted((a, b) => a - b)] as const);
console.table(
  Object.fromEntries(
    sorted.map(([name, times]) => [name, { median: times[times.length >> 1], slowest: times.at(-1) }]),
  ),
);
if (sorted.some(([, times]) => (times.at(-1) ?? Infinity) > most)) {
  console.error(`doctor may take ${most} ms on a sound host`);
  process.exitCode = 1;
}
