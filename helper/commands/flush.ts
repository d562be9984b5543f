/** `flush`: forget every key that ssm-ssh keeps for this user. */
import { command, type Running } from '../command-line/command.ts';
import { invalid, type Line } from '../command-line/parse.ts';

const options = {} as const;

export const flush = command({
  name: 'flush',
  summary: 'Forget every key that ssm-ssh keeps for this user, and end its agent',
  synopsis: '[OPTION …]',
  examples: [['flush', 'the next git command fetches its key anew']],
  options,
  common: ['json', 'quiet', 'help', 'version'],
  run: runFlush,
});

async function runFlush({ words, values }: Line<typeof options>, running: Running): Promise<number> {
  if (words.length > 0)
    throw invalid(`flush takes no name: "${words.join(' ')}"`, 'leave it out: flush forgets all keys');
  const [{ flushUser }, { userOf }] = await Promise.all([
    import('../../src/host/user-agent.ts'),
    import('../../src/host/state-folder.ts'),
  ]);
  const folders = await flushUser(userOf(running.env));
  if (values.json) running.out(`${JSON.stringify({ flushed: folders }, null, 2)}\n`);
  else if (!values.quiet)
    running.err(
      folders.length > 0 ? 'ssm-ssh-agent: all keys are forgotten\n' : 'ssm-ssh-agent: there were no keys\n',
    );
  return 0;
}
