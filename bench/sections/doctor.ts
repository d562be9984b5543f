/** doctor on a sound host with a key, a token, a repository and an EC2 host. */
import { agentProgram, DoctorStage, target } from '../../__tests__/e2e/doctor/stage.ts';
import { startGitHost } from '../../__tests__/support/git-host/git-host.ts';
import { makeSshKey } from '../../__tests__/support/ssh-keys.ts';
import { takeTurns, type Way } from '../measure.ts';
import { figureOf, wall, waysOf, type Section } from '../results.ts';

const [plain, whole] = ['doctor', 'doctor --url --host'];

export const doctor: Section = {
  name: 'doctor',
  title: 'doctor',
  about: `\`ssm-ssh-agent doctor\` on a sound host, against the local AWS: without options, and with a repository and an EC2 host. The slowest run may take 3 seconds.`,
  run: async ({ rounds }) => {
    const [git, key] = await Promise.all([startGitHost(), makeSshKey()]);
    await git.createRepository('acme/lib');
    git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey });
    const stage = await DoctorStage.open(git, key);
    const way =
      (name: string, args: readonly string[]): Way =>
      async () => {
        const { code, stdout, stderr, took } = await stage.run(args);
        if (code !== 0) throw new Error(`${agentProgram} ${args.join(' ')}: ${stdout}${stderr}`);
        return { [name]: { wall: took } };
      };
    try {
      const measured = await takeTurns(rounds, [
        way(plain, []),
        way(whole, ['--url', stage.url, '--host', target]),
      ]);
      const all = figureOf(measured, (round) => wall(round, whole), 'ms');
      const slowest = { ...all, median: all.max, min: all.max };
      return { ways: waysOf(measured), figures: { 'the slowest run': slowest }, notRun: [] };
    } finally {
      await stage.close();
      await git.stop();
    }
  },
};
